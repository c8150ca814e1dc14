import { styleText } from 'node:util'
import { Command } from 'commander'
import type { Client, Input, Output } from '../../client/client.ts'
import { mostRows } from '../../contract/field.ts'
import { gapOf, patchOf } from '../../nouns/run/diff/text.ts'
import { placeOf } from '../../place/connect.ts'
import { exitCodes } from '../../terminal/exit.ts'
import { addCommon, addExamples, type Common, refuseBoth } from '../../terminal/option.ts'
import { paged } from '../../terminal/pager.ts'
import { clean, line } from '../../text/clean.ts'
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
  command.option('--patch', 'as a patch for git apply')
  addCommon(command)
  command.addHelpText(
    'after',
    `\n--patch leaves out each file whose diff is not complete, because it is binary, long, masked or erased. It names them\non stderr and exits with ${exitCodes.failed[0]}.`,
  )
  addExamples(command, ['conduct run diff RUN-001', 'conduct run diff RUN-001 --patch'])
  return command.action((runId: string, path: string | undefined, options: Options) => show(runId, path, options))
}

async function show(runId: string, path: string | undefined, options: Options): Promise<void> {
  for (const other of ['patch', 'json']) refuseBoth(options, 'stat', other)
  refuseBoth(options, 'patch', 'json')
  const { turn } = options
  const input = { runId, ...(path && { path }), ...(turn !== undefined && { turn }) }
  const place = placeOf(options, process.env, process.cwd())
  await withClient(place, async (client) => {
    const diff = await wholeDiff(client, input)
    if (options.json) {
      printJson(diff)
      return
    }
    if (options.patch) printPatch(diff)
    else await paged(options.stat ? statOf(diff.files) : diff.files.map((file) => coloured(patchOf(file))).join(''))
    const { omitted = 0 } = diff.meta
    if (omitted > 0 && options.patch) process.exitCode = exitCodes.failed[0]
    if (omitted > 0) process.stderr.write(restOf(omitted, diff.files.length > 0))
    else if (diff.files.length === 0) process.stderr.write(`${await whyNone(client, input)}\n`)
  })
}

/** All pages as one. */
async function wholeDiff(client: Client, input: Input<'getDiff'>): Promise<Diff> {
  const files: File[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await client.getDiff({ ...input, limit: mostRows, ...(cursor && { cursor }) })
    files.push(...page.files)
    cursor = page.meta.nextCursor
    if (!page.meta.hasMore) return { files, meta: page.meta }
  }
}

/** A patch that goes to a file must be exact. On a terminal, nothing from the files of the run may act. */
function printPatch({ files }: Diff): void {
  for (const file of files) {
    const gap = gapOf(file)
    if (gap === undefined) {
      process.stdout.write(process.stdout.isTTY ? clean(patchOf(file)) : patchOf(file))
      continue
    }
    process.stderr.write(`${line(file.path)} is left out: ${gap}.\n`)
    process.exitCode = exitCodes.failed[0]
  }
}

function restOf(omitted: number, isMore: boolean): string {
  const many = `${omitted.toLocaleString('en')} ${isMore ? 'more ' : ''}file${omitted === 1 ? '' : 's'}`
  return `${many} changed without a recorded diff.\n`
}

/** Why there is no diff to show. */
async function whyNone(client: Client, { runId, path, turn }: Input<'getDiff'>): Promise<string> {
  const { open } = (await client.getRun({ runId })).run.turns
  const none = path === undefined ? 'No diff is recorded' : `No diff of ${line(path)} is recorded`
  return open !== undefined && (turn === undefined || turn === open.n)
    ? `${none} yet: turn ${open.n} is still open.`
    : `${none}.`
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
