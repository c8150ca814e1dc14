import { stripVTControlCharacters } from 'node:util'
import type { Output } from '../client/client.ts'
import { evidenceText } from '../contract/evidence-words.ts'
import { nameOf } from '../contract/person.ts'
import type { Found } from '../find/fields.ts'
import type { Feature } from '../nouns/feature/fields.ts'
import type { Check } from '../nouns/run/check/fields.ts'
import type { Run } from '../nouns/run/fields.ts'
import { digestOf, turnId, turnTitle } from '../nouns/run/turn.ts'
import type { Turn } from '../nouns/run/turn-fields.ts'
import type { Spec } from '../nouns/spec/fields.ts'
import { slice } from '../text/content.ts'

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
  `${run.runId} ${words(run.status, run.verdict, run.specId, run.author && `by ${nameOf(run.author)}`, run.attempt > 1 && `attempt ${run.attempt}`)}: ${run.title ?? 'untitled'}`

export const specLine = ({ specId, status, checklist: { total, done }, title }: Spec) =>
  `${specId} ${words(status, total > 0 && `${done}/${total} done`)}: ${title ?? 'untitled'}`

export function checkLine(check: Check): string {
  const { checkId, runId, name, result, command, exitCode, replacedBy } = check
  const ran = command === null ? '' : ` (${command}${exitCode === null ? '' : `, exit code ${exitCode}`})`
  const notes = words(evidenceOf(check), replacedBy && `replaced by ${replacedBy}`)
  return `${checkId} of ${runId} ${result}: ${name}${ran}${notes && `. ${notes}`}`
}

/** How the result is known. Servers of earlier versions do not say. */
const evidenceOf = ({ evidence, createdBy }: Check) =>
  evidence ? evidenceText(evidence, createdBy.name ?? 'the local user') : ''

export const featureLine = ({ id, name, file, description }: Feature) =>
  `feature ${id} ${name}: ${words(file, description) || 'no description'}`

export function foundLine({ type, subject, status, author, title, snippet }: Found): string {
  const place = snippet && `\n  ${snippet.replace(/\s+/g, ' ')}`
  const about = words(status, author && `by ${nameOf(author)}`)
  return `${type} ${subject}${about && ` ${about}`}: ${title ?? 'untitled'}${place}`
}

/** At most `most` bytes of a text, with a note where to read the rest. */
function cut(text: string, most: number, rest: string): string {
  const kept = slice(text, 0, most)
  const more = Buffer.byteLength(text) - Buffer.byteLength(kept)
  return more > 0 ? `${kept}\n… ${more.toLocaleString('en')} more bytes; ${rest}` : kept
}

const turnLine = ({ runId, n, prompt, failure, interrupted, open }: Turn) =>
  `${turnId(runId, n)} ${turnTitle(prompt) ?? 'without a prompt'}${failure ? `: failed, ${failure.code}` : ''}${interrupted ? ': interrupted' : ''}${open ? ': still open' : ''}`

/** A turn as markdown. */
export function turnText(turn: Turn): string {
  const { runId, n, startedAt, endedAt, model } = turn
  const times = words(startedAt && `started ${startedAt}`, endedAt && `ended ${endedAt}`, model && `by ${model}`)
  return [`# ${turnId(runId, n)}`, times, '', digestOf(turn).trimEnd()].join('\n')
}

/** Terminal output without its colours; other content unchanged. */
const plain = ({ content, contentType }: Pick<FullRun, 'content' | 'contentType'>) =>
  contentType === 'text/x-terminal' ? stripVTControlCharacters(content) : content

/** A run as markdown, with its newest turns, oldest first. */
export function runText(run: FullRun, checks: Check[], turns: Turn[], most: number): string {
  const { runId, title, failure, features, startedAt, endedAt, agent, author, retryOf, leaseExpiresAt } = run
  const count = run.turns.count + (run.turns.open ? 1 : 0)
  const exit = run.exitCode === null ? '' : `: exit code ${run.exitCode}`
  const times = words(startedAt && `started ${startedAt}`, endedAt && `ended ${endedAt}`)
  return [
    `# ${runId}: ${title ?? 'untitled'}`,
    words(run.status, verdictText(run), run.specId && `spec ${run.specId}`, retryOf && `retry of ${retryOf}`),
    words(agent && `by ${agent}`, author && `for ${author}`, times, leaseExpiresAt && `leased until ${leaseExpiresAt}`),
    run.command && `Command ${run.command}${exit}`,
    failure && `Failure ${failure.code}: ${failure.message}`,
    features.length > 0 && `Features: ${features.map(({ id, name }) => `${name} (${id})`).join(', ')}`,
    ...checks.map((check) => `- ${checkLine(check)}`),
    turns.length > 0 && `Turns: ${count}${count > turns.length ? `, the newest ${turns.length}` : ''}`,
    ...turns.map((turn) => `- ${turnLine(turn)}`),
    run.content && `\n${cut(plain(run), most, `the resource ${uriOf('run', runId)} has all`)}`,
  ]
    .filter(Boolean)
    .join('\n')
}

/** A spec as markdown. */
export function specText(spec: FullSpec, most: number): string {
  const { specId, version, agent, totals } = spec
  const verdicts = Object.entries(totals.byVerdict).filter(([, count]) => count > 0)
  const runs = verdicts.map(([verdict, count]) => `${count} ${verdict}`).join(', ')
  return [
    `# ${specLine(spec)}`,
    words(`version ${version}`, agent && `by ${agent}`, `${totals.runs} runs${runs && ` (${runs})`}`),
    spec.content && `\n${cut(spec.content, most, `the resource ${uriOf('spec', specId)} has all`)}`,
  ]
    .filter(Boolean)
    .join('\n')
}

export function checkText(check: FullCheck, most: number): string {
  const content = check.content && `\n\n${cut(plain(check), most, `GET /v1/checks/${check.checkId} has all`)}`
  return `${checkLine(check)}${content}`
}

export const uriOf = (noun: 'run' | 'spec', id: string) => `conduct://${noun}/${id}`
