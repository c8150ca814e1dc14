import type { Output } from '../client/client.ts'
import { evidenceText } from '../contract/evidence-words.ts'
import { nameOf } from '../contract/person.ts'
import { firstBytes } from '../contract/text.ts'
import type { Found } from '../find/fields.ts'
import type { Feature } from '../nouns/feature/fields.ts'
import type { Check } from '../nouns/run/check/fields.ts'
import type { Run } from '../nouns/run/fields.ts'
import { markdownOf, turnId, turnTitle } from '../nouns/run/turn.ts'
import type { Turn } from '../nouns/run/turn-fields.ts'
import type { Spec } from '../nouns/spec/fields.ts'
import { clean, line } from '../text/clean.ts'

type FullRun = Output<'getRun'>['run']
type FullSpec = Output<'getSpec'>['spec']
type FullCheck = Output<'getCheck'>['check']

/** The most lines of a list. */
export const shown = 20

/** For a server that gives no sentence. */
const verdictWords = {
  unchecked: 'unchecked: no check is recorded',
  failing: 'failing: a check fails',
  warned: 'warned: a check warns',
  stale: 'stale: the work changed after a check, run it again',
  verified: 'verified',
}

/** The verdict of a run in words. */
export const verdictText = ({ verdict, evidence, why }: Run) =>
  `${why ? verdict : verdictWords[verdict]}${evidence === null ? '' : ` (evidence: ${evidence})`}${why ? `: ${why}` : ''}`

const words = (...parts: (string | null | undefined | false)[]) => parts.filter(Boolean).join(', ')

export const runLine = (run: Run) =>
  line(
    `${run.runId} ${words(run.status, run.verdict, run.specId, run.author && `by ${nameOf(run.author)}`, run.attempt > 1 && `attempt ${run.attempt}`)}: ${run.title ?? 'untitled'}`,
  )

export const specLine = ({ specId, status, checklist: { total, done }, title }: Spec) =>
  line(`${specId} ${words(status, total > 0 && `${done}/${total} done`)}: ${title ?? 'untitled'}`)

export function checkLine(check: Check): string {
  const { checkId, runId, name, result, command, exitCode, replacedBy } = check
  const ran = command === null ? '' : ` (${command}${exitCode === null ? '' : `, exit code ${exitCode}`})`
  const notes = words(evidenceOf(check), replacedBy && `replaced by ${replacedBy}`)
  return line(`${checkId} of ${runId} ${result}: ${name}${ran}${notes && `. ${notes}`}`)
}

/** How the result is known. Servers of earlier versions do not say. */
const evidenceOf = ({ evidence, createdBy }: Check) =>
  evidence ? evidenceText(evidence, createdBy.name ?? 'the local user') : ''

export const featureLine = ({ id, name, file, description }: Feature) =>
  line(`feature ${id} ${name}: ${words(file, description) || 'no description'}`)

export function foundLine({ type, subject, status, author, title, snippet }: Found): string {
  const place = snippet && `\n  ${line(snippet)}`
  const about = words(status, author && `by ${nameOf(author)}`)
  return `${line(`${type} ${subject}${about && ` ${about}`}: ${title ?? 'untitled'}`)}${place}`
}

/**
 * A text that somebody else wrote, between fences that it cannot close (CommonMark 4.5), so that a reader can tell it from
 * what Conduct says: at most `most` bytes of it, with a note where to read the rest.
 */
function written(text: string, most = Number.POSITIVE_INFINITY, rest = ''): string {
  const kept = firstBytes(text, most)
  const more = Buffer.byteLength(text) - Buffer.byteLength(kept)
  const safe = clean(kept).trimEnd()
  let fence = '```'
  for (const [ticks] of safe.matchAll(/`{3,}/g)) if (ticks.length >= fence.length) fence = `${ticks}\``
  const note = more > 0 ? `\n… ${more.toLocaleString('en')} more bytes; ${rest}` : ''
  return `As written:\n${fence}\n${safe}\n${fence}${note}`
}

const turnLine = ({ runId, n, prompt, failure, interrupted, open }: Turn) =>
  line(
    `${turnId(runId, n)} ${turnTitle(prompt) ?? 'without a prompt'}${failure ? `: failed, ${failure.code}` : ''}${interrupted ? ': interrupted' : ''}${open ? ': still open' : ''}`,
  )

/** A turn as markdown. */
export function turnText(turn: Turn): string {
  const { runId, n, startedAt, endedAt, model } = turn
  const times = words(startedAt && `started ${startedAt}`, endedAt && `ended ${endedAt}`, model && `by ${model}`)
  return [`# ${turnId(runId, n)}`, line(times), '', written(markdownOf(turn))].join('\n')
}

/** A run as markdown, with its newest turns, oldest first. */
export function runText(run: FullRun, checks: Check[], turns: Turn[], most: number): string {
  const { runId, title, failure, features, startedAt, endedAt, agent, author, retryOf, leaseExpiresAt } = run
  const count = run.turns.count + (run.turns.open ? 1 : 0)
  const exit = run.exitCode === null ? '' : `: exit code ${run.exitCode}`
  const times = words(startedAt && `started ${startedAt}`, endedAt && `ended ${endedAt}`)
  const facts = [
    `# ${runId}: ${title ?? 'untitled'}`,
    words(run.status, verdictText(run), run.specId && `spec ${run.specId}`, retryOf && `retry of ${retryOf}`),
    words(agent && `by ${agent}`, author && `for ${author}`, times, leaseExpiresAt && `leased until ${leaseExpiresAt}`),
    run.command && `Command ${run.command}${exit}`,
    failure && `Failure ${failure.code}: ${failure.message}`,
    features.length > 0 && `Features: ${features.map(({ id, name }) => `${name} (${id})`).join(', ')}`,
    ...checks.map((check) => `- ${checkLine(check)}`),
    turns.length > 0 && `Turns: ${count}${count > turns.length ? `, the newest ${turns.length}` : ''}`,
    ...turns.map((turn) => `- ${turnLine(turn)}`),
  ]
  return withContent(facts, run.content, most, uriOf('run', runId))
}

/** A spec as markdown. */
export function specText(spec: FullSpec, most: number): string {
  const { specId, version, agent, totals } = spec
  const verdicts = Object.entries(totals.byVerdict).filter(([, count]) => count > 0)
  const runs = verdicts.map(([verdict, count]) => `${count} ${verdict}`).join(', ')
  const facts = [
    `# ${specLine(spec)}`,
    words(`version ${version}`, agent && `by ${agent}`, `${totals.runs} runs${runs && ` (${runs})`}`),
  ]
  return withContent(facts, spec.content, most, uriOf('spec', specId))
}

/** Facts, one a line, and the content below them. */
function withContent(facts: (string | false | null)[], content: string, most: number, uri: string): string {
  const lines = facts.flatMap((fact) => (fact ? [line(fact)] : []))
  return [...lines, ...(content ? ['', written(content, most, `the resource ${uri} has all`)] : [])].join('\n')
}

export function checkText(check: FullCheck, most: number): string {
  const content = check.content && `\n\n${written(check.content, most, `GET /v1/checks/${check.checkId} has all`)}`
  return `${checkLine(check)}${content}`
}

export const uriOf = (noun: 'run' | 'spec', id: string) => `conduct://${noun}/${id}`
