import { styleText } from 'node:util'
import { Command } from 'commander'
import type { Client, Output } from '../../client/client.ts'
import { mostRows } from '../../contract/field.ts'
import { gapOf, patchOf } from '../../nouns/run/diff-text.ts'
import { placeOf } from '../../place/connect.ts'
import { exitCodes } from '../../terminal/exit.ts'
import { addCommon, addExamples, type Common, refuseBoth } from '../../terminal/option.ts'
import { paged } from '../../terminal/pager.ts'
import { clean, line } from '../../terminal/text.ts'
import { withClient } from '../operation/call.ts'
import { numberOf } from '../operation/flag.ts'
import { printJson } from '../show/print.ts'

interface Options extends Common {
  turn?: number
  stat?: boolean
  patch?: boolean
}

type Diff = Output<'getDiff'>
type File = Diff['files'][number]

/** `conduct run diff`: shows what a run wrote. */
export function runDiffCommand(): Command {
  const command = new Command('diff')
    .description('Show what a run, or one of its turns, wrote')
    .argument('<run-id>')
    .argument('[path]', 'a file, or a folder with / at its end')
  command.option('--turn <n>', 'only what this turn wrote', (text) => numberOf(text, 'integer'))
  command.option('--stat', 'only the files, and how many lines changed')
  command.option('--patch', 'as git apply takes it')
  addCommon(command)
  command.addHelpText(
    'after',
    `\n--patch leaves out each file whose diff is not whole, because it is binary, long, masked or erased. It names them\non stderr and exits with ${exitCodes.failed[0]}.`,
  )
  addExamples(command, ['conduct run diff RUN-001', 'conduct run diff RUN-001 --patch'])
  return command.action((runId: string, path: string | undefined, options: Options) => show(runId, path, options))
}

async function show(runId: string, path: string | undefined, options: Options): Promise<void> {
  for (const other of ['patch', 'json']) refuseBoth(options, 'stat', other)
  refuseBoth(options, 'patch', 'json')
  const { turn } = options
  const place = placeOf(options, process.env, process.cwd())
  await withClient(place, async (client) => {
    const diff = await wholeDiff(client, { runId, ...(path && { path }), ...(turn !== undefined && { turn }) })
    if (options.json) printJson(diff)
    else if (options.patch) printPatch(diff)
    else await printShown(diff, options)
  })
}

async function printShown(diff: Diff, options: Options): Promise<void> {
  const text = options.stat ? statOf(diff.files) : diff.files.map((file) => coloured(patchOf(file))).join('')
  await paged(text)
  tellRest(diff)
}

/** All pages as one. */
async function wholeDiff(client: Client, input: Parameters<Client['getDiff']>[0]): Promise<Diff> {
  const files: File[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await client.getDiff({ ...input, limit: mostRows, ...(cursor && { cursor }) })
    files.push(...page.files)
    cursor = page.meta.nextCursor
    if (!page.meta.hasMore) return { files, meta: page.meta }
  }
}

function printPatch({ files, ...diff }: Diff): void {
  for (const file of files) {
    const gap = gapOf(file)
    if (gap === undefined) {
      process.stdout.write(patchOf(file))
      continue
    }
    process.stderr.write(`${line(file.path)} is left out: ${gap}.\n`)
    process.exitCode = exitCodes.failed[0]
  }
  if (tellRest({ files, ...diff })) process.exitCode = exitCodes.failed[0]
}

/** Says how many files have no diff. Returns whether there are any. */
function tellRest({ files, meta: { omitted = 0 } }: Diff): boolean {
  if (omitted > 0) {
    const many = `${omitted.toLocaleString('en')} ${files.length > 0 ? 'more ' : ''}file${omitted === 1 ? '' : 's'}`
    process.stderr.write(`${many} changed without a recorded diff.\n`)
  } else if (files.length === 0) process.stderr.write('No file changed.\n')
  return omitted > 0
}

const letters = { added: 'A', modified: 'M', deleted: 'D', renamed: 'R' }

function statOf(files: File[]): string {
  const rows = files.map((file) => {
    const { path, from, status, insertions, deletions } = file
    const lines = insertions === undefined ? [] : [`+${insertions}`, `-${deletions ?? 0}`]
    const gap = gapOf(file)
    const name = from === undefined ? line(path) : `${line(from)} → ${line(path)}`
    return { letter: letters[status], lines: lines.join(' '), name: `${name}${gap === undefined ? '' : `  (${gap})`}` }
  })
  const width = Math.max(0, ...rows.map(({ lines }) => lines.length))
  return rows.map(({ letter, lines, name }) => `${letter} ${lines.padEnd(width)}  ${name}\n`).join('')
}

/** The diff in the colours of git, safe for a terminal. */
function coloured(patch: string): string {
  let isHead = true
  const shown = patch.split('\n').map((text) => {
    if (text.startsWith('diff --git ') || text.startsWith('#')) isHead = true
    if (text.startsWith('@@ ')) isHead = false
    const colour = colourOf(text, isHead)
    return colour === undefined ? clean(text) : styleText(colour, clean(text), { stream: process.stdout })
  })
  return shown.join('\n')
}

function colourOf(text: string, isHead: boolean): 'bold' | 'cyan' | 'green' | 'red' | 'yellow' | undefined {
  if (text.startsWith('@@ ')) return 'cyan'
  if (isHead) return text.startsWith('#') ? 'yellow' : 'bold'
  return text.startsWith('+') ? 'green' : text.startsWith('-') ? 'red' : undefined
}
