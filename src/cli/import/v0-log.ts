import { humanIdPattern } from '../../contract/id.ts'
import { mask } from '../../mask/mask.ts'
import { firstLine } from '../../nouns/run/turn.ts'
import { attempt, type V0Context } from './v0-entries.ts'
import { exists, pastOf } from './v0-track.ts'

/** A line of the log: what an agent did when, and the document that it wrote. */
export interface LogLine {
  timestamp: string
  model: string
  launcher: string
  command: string
  name: string
  phases: string
  path: string
  at: { file: string; line: number }
}

/** A result in a report. */
interface Found {
  name: string
  result: 'pass' | 'fail' | 'warn'
  words: string
}

/** Imports a line of the log as a run, with a check for each result in its document. */
export async function importLogLine(line: LogLine, runId: string, spec: string | undefined, context: V0Context) {
  const { client, dryRun, report } = context
  const { file, line: at } = line.at
  const time = pastOf(line.timestamp)
  if (time === undefined) return report.pass(file, at, `timestamp '${line.timestamp}' is no time in the past`)
  if (!humanIdPattern.test(runId)) return report.pass(file, at, `'${line.command}' is no command that can be kept`)
  const text = documentOf(line, context)
  const status = statusIn(text)
  const isKnown = await exists(client.getRun({ runId }))
  report.count(isKnown ? 'runs imported before' : 'runs')
  if (!dryRun && !isKnown)
    await client.createRun({
      ...(await runOf(line, text, status)),
      runId,
      createdAt: time,
      ...whenOf(time),
      ...specIn(spec),
    })
  const found = [
    ...(status ? [{ ...status, name: line.phases || line.command }] : []),
    ...resultsIn(text, line, context),
  ]
  for (const [n, one] of found.entries())
    await importResult(one, { checkId: `${runId}-${n + 1}`, runId, createdAt: time }, context)
}

const whenOf = (time: string) => ({ startedAt: time, endedAt: time })
const specIn = (spec: string | undefined) => (spec === undefined ? {} : { specId: `v0-${spec}` })

async function runOf(
  { model, launcher, command, name, phases, path }: LogLine,
  text: string,
  status: Omit<Found, 'name'> | undefined,
) {
  const heading = firstLine(text, 200)
  const isFailed = status?.result === 'fail' && command !== 'audit'
  return {
    title: (await mask([command, phases, heading].filter(Boolean).join(' · '))).slice(0, 300).toWellFormed(),
    content: await mask(text || `The log names \`${path}\`.\n`),
    ...(launcher && { agent: launcher.slice(0, 200) }),
    ...(model && { usage: { model: model.slice(0, 100) } }),
    labels: {
      imported: 'conduct-v0',
      command,
      ...(phases && { phase: phases.slice(0, 256) }),
      ...(name && name !== 'unknown-agent' && { name: name.slice(0, 256) }),
    },
    ...(isFailed
      ? { status: 'failed' as const, failure: { code: 'NOT_PASSED', message: await mask(status.words) } }
      : { status: 'completed' as const }),
  }
}

/** The text of the document that a line names; empty for a bundle, which is a spec, and if it cannot be read. */
function documentOf({ path, at }: LogLine, { documents, report }: V0Context): string {
  if (!path.endsWith('.md')) return ''
  const text = attempt(() => documents.text(path))
  if (typeof text === 'string') return text
  report.pass(at.file, at.line, text.message)
  return ''
}

const words: Record<string, Found['result']> = {
  PASS: 'pass',
  COMPLETED: 'pass',
  PARTIAL: 'warn',
  UNVERIFIED: 'warn',
  BLOCKED: 'fail',
  FAIL: 'fail',
  FAILED: 'fail',
}
const word = `(${Object.keys(words).join('|')})`
/** The result of a report and what follows it on its line. */
const verdict = `[\`*]*(${word}\\b[^\\n]*)`

/** The status of a report as a whole: `- Status: PASS`, `| Overall result | **PARTIAL — …** |`, or the line below `## Status`. */
function statusIn(text: string): Omit<Found, 'name'> | undefined {
  const places = [
    new RegExp(`^[-*] \\**Status:?\\**:? *${verdict}`, 'im'),
    new RegExp(`^\\| *\\**(?:Overall result|Status)\\** *\\| *${verdict}`, 'im'),
    new RegExp(`^## Status\\s+${verdict}`, 'im'),
  ]
  for (const place of places) {
    const [, line, which] = place.exec(text) ?? []
    if (line !== undefined && which !== undefined)
      return { result: words[which.toUpperCase()] ?? 'warn', words: plain(line) }
  }
  return undefined
}

/** A row of a table or an item of a list that gives the result of one requirement. */
const row = new RegExp(
  `^\\| *\`?([A-Z][A-Z0-9]*-\\d[\\w.-]*)\`? *\\|(?:[^|\\n]*\\|)?? *\\**(${Object.keys(words).join('|')}|N/A)\\** *\\|([^\\n]*)`,
)
const item = new RegExp(`^\\d+\\. +\\*\\*${word} *[—:-] *([^*\\n]+)\\*\\*(.*)`)

/** The results of single requirements in an audit or report. Those that were not evaluated are listed as left out. */
function resultsIn(text: string, { path }: LogLine, { report }: V0Context): Found[] {
  return text.split('\n').flatMap((line, at): Found[] => {
    const [, id, which, about = ''] = row.exec(line) ?? []
    if (id !== undefined && which !== undefined) {
      const result = words[which]
      if (result) return [{ name: id, result, words: plain(about) }]
      report.pass(path, at + 1, `${id} was not evaluated`)
      return []
    }
    const [, given, name, more = ''] = item.exec(line) ?? []
    const result = given === undefined ? undefined : words[given]
    return result && name !== undefined ? [{ name: plain(name).replace(/\.$/, ''), result, words: plain(more) }] : []
  })
}

const plain = (markdown: string) =>
  markdown
    .replaceAll(/[*`|]+/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()

interface Target {
  checkId: string
  runId: string
  createdAt: string
}

async function importResult({ name, result, words }: Found, target: Target, { client, dryRun, report }: V0Context) {
  if (await exists(client.getCheck({ checkId: target.checkId }))) return report.count('checks imported before')
  report.count('checks')
  if (!dryRun)
    await client.createCheck({ ...target, name: name.slice(0, 200).toWellFormed(), result, content: await mask(words) })
}
