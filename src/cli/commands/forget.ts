import { Command } from 'commander'
import type { Client, Output } from '../../client/client.ts'
import { connect, placeOf, shownPlace } from '../../place/connect.ts'
import { whileWaiting } from '../../terminal/interactive.ts'
import { addExamples, addPlace, type Common } from '../../terminal/option.ts'
import { tries } from '../operation/call.ts'
import { pairs, printJson, shown } from '../show/print.ts'

interface Options extends Common {
  dryRun?: boolean
}

type Forgotten = Pick<Output<'forget'>, 'erased' | 'deleted'>

/** `conduct forget`: applies the retention of a project now. */
export function forgetCommand(): Command {
  const command = new Command('forget')
  command.option('--dry-run', 'only count what would be removed')
  command.option('--json', 'as JSON')
  command.option('--utc', 'exact times')
  addPlace(command)
  command.addHelpText(
    'after',
    '\nServers do this once an hour. How long a project keeps its runs, conduct project update says:\n  conduct project update <slug> --retention-content-days 90 --retention-run-days 365',
  )
  addExamples(command, ['conduct forget --dry-run', 'conduct forget'])
  return command.action(run)
}

async function run(options: Options): Promise<void> {
  const { env } = process
  const dryRun = options.dryRun === true
  const place = placeOf(options, env, process.cwd())
  await using connection = await connect(place, env, { ...tries, createsProject: false })
  const { client } = connection
  const doing = `${dryRun ? 'Counting in' : 'Forgetting in'} ${shownPlace(place)}`
  const forgotten = await whileWaiting(doing, forgetAll(client, dryRun))
  if (options.json) {
    printJson({ ...forgotten, dryRun })
    return
  }
  tell(forgotten, options.utc)
  const { erased, deleted } = forgotten
  const isNothing = erased.runs + deleted.runs === 0
  if (isNothing) process.stderr.write(`${await whyNothing(client, place.project)}\n`)
  else if (dryRun) process.stderr.write('Nothing was removed. To remove it, repeat the command without --dry-run.\n')
}

/** Goes on until all is done. */
async function forgetAll(client: Client, dryRun: boolean): Promise<Forgotten> {
  for (let cursor: string | undefined; ; ) {
    const { erased, deleted, hasMore, nextCursor } = await client.forget({ dryRun, ...(cursor && { cursor }) })
    if (!hasMore) return { erased, deleted }
    cursor = nextCursor
  }
}

/** Why a retention removes nothing. */
async function whyNothing(client: Client, chosen: string | undefined): Promise<string> {
  const slug = chosen ?? (await client.me()).key?.project ?? 'default'
  const { project } = await client.getProject({ slug })
  if (project.retention) return `The retention of the project '${slug}' removes nothing now.`
  return `The project '${slug}' has no retention, so it keeps everything. To set one: conduct help project update`
}

function tell({ erased, deleted }: Forgotten, utc: boolean | undefined): void {
  const lines = Object.entries({ erased, deleted }).flatMap(([what, sum]): [string, string][] => [
    [`${what}.runs`, sum.runs.toLocaleString('en')],
    [`${what}.bytes`, sum.bytes.toLocaleString('en')],
    [`${what}.oldest`, shown(sum.oldest, utc)],
  ])
  process.stdout.write(`${pairs(lines)}\n`)
}
