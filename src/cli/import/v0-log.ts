import { humanIdPattern } from '../../contract/id.ts'
import { firstLine, shortened } from '../../contract/lines.ts'
import { firstBytes } from '../../contract/text.ts'
import { mask } from '../../mask/mask.ts'
import { asTitle } from '../../text/title.ts'
import { attempt, type V0Context } from './v0-entries.ts'
import { type Results, resultsIn, resultWords, type StatedResult } from './v0-results.ts'
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

/** The id of a line's run, and the spec that it is about by the text of its document. */
interface Identity {
  runId: string
  specOf(text: string): string | undefined
}

/** Imports a line of the log as a run, with a check for each result in its document. */
export async function importLogLine(line: LogLine, { runId, specOf }: Identity, context: V0Context) {
  const { client, dryRun, report } = context
  const { file, line: at } = line.at
  const time = pastOf(line.timestamp)
  if (time === undefined) return report.pass(file, at, `timestamp '${line.timestamp}' is not a time in the past`)
  if (!humanIdPattern.test(runId)) return report.pass(file, at, `'${line.command}' is not a command that can be kept`)
  const text = documentOf(line, context)
  const { status, found, unknown } = resultsIn(text)
  const isKnown = await exists(client.getRun({ runId }))
  report.count(isKnown ? 'runs imported before' : 'runs')
  if (!dryRun && !isKnown)
    await client.createRun({
      ...(await runOf(line, text, status)),
      runId,
      createdAt: time,
      ...whenOf(time),
      ...specIn(specOf(text)),
    })
  passUnknown(unknown, line, context)
  const results = [...(status ? [{ ...status, name: line.phases || line.command }] : []), ...found]
  for (const [n, one] of results.entries())
    await importResult(one, { checkId: `${runId}-${n + 1}`, runId, createdAt: time }, context)
}

const whenOf = (time: string) => ({ startedAt: time, endedAt: time })
const specIn = (spec: string | undefined) => (spec === undefined ? {} : { specId: `v0-${spec}` })

async function runOf(
  { model, launcher, command, name, phases, path }: LogLine,
  text: string,
  status: Results['status'],
) {
  const heading = firstLine(text, 200)
  const isFailed = status?.result === 'fail' && command !== 'audit'
  return {
    title: asTitle(await mask([command, phases, heading].filter(Boolean).join(' · '))),
    content: await mask(text || `The log names \`${path}\`.\n`),
    ...(launcher && { agent: firstBytes(launcher, 200) }),
    ...(model && { usage: { model: firstBytes(model, 100) } }),
    labels: {
      imported: 'conduct-v0',
      command,
      ...(phases && { phase: firstBytes(phases, 256) }),
      ...(name && name !== 'unknown-agent' && { name: firstBytes(name, 256) }),
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

/** Lists the rows of a report whose result is no check: in one entry those that were not evaluated, and each other one. */
function passUnknown(unknown: Results['unknown'], { path }: LogLine, { report }: V0Context) {
  const isSkipped = ({ words }: { words: string }) => words.startsWith('N/A')
  const skipped = unknown.filter(isSkipped)
  if (skipped[0]) report.pass(path, skipped[0].line, `not evaluated: ${skipped.map(({ name }) => name).join(', ')}`)
  for (const { name, line, words } of unknown.filter((one) => !isSkipped(one))) {
    const what = `the result of ${name} is '${shortened(words, 100)}'`
    report.pass(path, line, `${what}, which begins with none of ${resultWords.join(', ')}`)
  }
}

interface Target {
  checkId: string
  runId: string
  createdAt: string
}

async function importResult(
  { name, result, words }: StatedResult,
  target: Target,
  { client, dryRun, report }: V0Context,
) {
  if (await exists(client.getCheck({ checkId: target.checkId }))) return report.count('checks imported before')
  report.count('checks')
  if (!dryRun)
    await client.createCheck({
      ...target,
      name: firstBytes(await mask(name), 200),
      result,
      content: await mask(words),
    })
}
