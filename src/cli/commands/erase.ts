import { Command, InvalidArgumentError } from 'commander'
import type { Client, Input, Output } from '../../client/client.ts'
import { connect, placeOf, shownPlace } from '../../place/connect.ts'
import { UsageError } from '../../terminal/exit.ts'
import { readText } from '../../terminal/file.ts'
import { whileWaiting } from '../../terminal/interactive.ts'
import { addExamples, addPlace, type Common } from '../../terminal/option.ts'
import { tries } from '../operation/call.ts'
import { pairs, printJson } from '../show/print.ts'

interface Options extends Common {
  run?: string
  spec?: string
  key?: number
  everything?: true
  yes?: boolean
}

/** `conduct erase`: erases texts for good. Without `--yes` it only counts. */
export function eraseCommand(): Command {
  const command = new Command('erase')
  command.argument(
    '[file]',
    'a file with a text; erases every field that contains the text, in all projects; - for standard input',
  )
  command.option('--run <run-id>', 'erase the texts of this run, its turns and its checks')
  command.option('--spec <spec-id>', 'erase the texts of every version of this spec')
  command.option('--key <id>', 'erase the name, person and machine of the key with this number', keyId)
  command.option('--everything', 'erase all texts of the project')
  command.option('--yes', 'erase; without it, only show what would be erased')
  command.option('--json', 'as JSON')
  addPlace(command)
  command.addHelpText('after', '\nYou cannot restore erased texts. Backups and exports still contain them.')
  addExamples(command, ['conduct erase --run RUN-001', 'conduct erase --run RUN-001 --yes'])
  return command.action(run)
}

async function run(file: string | undefined, options: Options): Promise<void> {
  const input = await inputOf(file, options)
  const { env } = process
  const chosen = placeOf(options, env, process.cwd())
  // A text is erased in all projects, and so is the name of a key.
  const place = file === undefined && options.key === undefined ? chosen : { ...chosen, project: undefined }
  // In a project that does not exist, nothing is erased, and the person must know.
  await using connection = await connect(place, env, { ...tries, createsProject: false })
  const { client } = connection
  const doing = `${input.dryRun ? 'Counting in' : 'Erasing from'} ${shownPlace(place)}`
  const erased = await whileWaiting(doing, eraseAll(client, input))
  if (options.json) printJson({ erased, dryRun: input.dryRun })
  else tell(erased, input.dryRun === true)
}

function keyId(given: string): number {
  if (/^[1-9]\d{0,14}$/.test(given)) return Number(given)
  throw new InvalidArgumentError('It must be the number of a key, as conduct key list shows it.')
}

async function inputOf(file: string | undefined, options: Options): Promise<Input<'erase'>> {
  const { run: runId, spec: specId, key, everything, yes } = options
  const named = [file, runId, specId, key, everything].filter((one) => one !== undefined).length
  if (named !== 1) throw new UsageError('Pass one of: a file with a text, --run, --spec, --key, --everything.')
  // Editors and `echo` end a file with a line feed that is not part of the text.
  const text = file === undefined ? undefined : (await readText(file)).replace(/\r?\n$/, '')
  return {
    ...(runId !== undefined && { runId }),
    ...(specId !== undefined && { specId }),
    ...(key !== undefined && { keyId: key }),
    ...(everything && { everything }),
    ...(text !== undefined && { text }),
    dryRun: yes !== true,
  }
}

/** Repeats the call until everything is erased. */
async function eraseAll(client: Client, input: Input<'erase'>): Promise<Output<'erase'>['erased']> {
  for (let cursor: string | undefined; ; ) {
    const { erased, hasMore, nextCursor } = await client.erase({ ...input, ...(cursor !== undefined && { cursor }) })
    if (!hasMore) return erased
    cursor = nextCursor
  }
}

function tell(erased: Output<'erase'>['erased'], isDryRun: boolean): void {
  const counts = Object.entries(erased).map(([noun, count]): [string, string] => [noun, String(count)])
  process.stdout.write(`${pairs(counts)}\n`)
  const { responses, ...rows } = erased
  if (Object.values(rows).every((count) => count === 0))
    process.stderr.write('There is nothing to erase: no row has such a text.\n')
  else if (isDryRun)
    process.stderr.write('Nothing was erased. These rows have texts to erase. To erase them, add --yes.\n')
  if (responses === 0) return
  const words = isDryRun ? 'would be dropped' : 'were dropped'
  process.stderr.write(
    `The stored responses to repeated requests ${words} unread: they are encrypted, so nobody knows whether they contain texts.\n`,
  )
}
