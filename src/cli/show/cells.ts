import { evidenceText } from '../../contract/evidence-words.ts'
import { firstLine } from '../../contract/lines.ts'
import type { Evidence } from '../../nouns/run/verdict/evidence.ts'
import { clean } from '../../text/clean.ts'

// The words in the cells of tables.

export type ShownItem = Record<string, unknown>

/** A value that nobody reported, which is not the same as 0. */
export const unknown = '—'
export const costText = ({ costUsd }: ShownItem) => (typeof costUsd === 'number' ? costUsd.toFixed(2) : unknown)

/** How the result of a check is known. Servers of earlier versions do not say. */
export const evidenceOf = ({ evidence, createdBy }: ShownItem) =>
  evidence ? evidenceText(evidence as Evidence, actorName(createdBy as ShownActor)) : ''

/** What a live run is doing, and which tool waits for a person. */
export function nowOf({ activity }: ShownItem): string {
  const { state = '', tool } = (activity ?? {}) as { state?: string; tool?: string | null }
  return clean(state === 'waiting' && tool ? `waiting: ${tool}` : state)
}

/** Why a run failed: `TESTS_FAILED: 3 tests fail`. */
export function failureOf(failure: unknown): string | undefined {
  const { code, message = '' } = (failure ?? {}) as { code?: string; message?: string }
  return code && clean(firstLine(`${code}: ${message}`, 200))
}

/** Why a run needs attention: the verdict, or the failure. */
export function whyOf({ reason, run }: ShownItem): string {
  const { why, failure } = run as ShownItem
  return reason === 'failing' ? String(why ?? '') : (failureOf(failure) ?? '')
}

export const timesUsed = (tools: { count: number }[] = []) => tools.reduce((sum, { count }) => sum + count, 0)

export type Checklist = { total: number; done: number }
export type ShownActor = { kind: string; name?: string | null }
export type ShownChanges = Record<string, [unknown, unknown]>

export type Counts = Record<string, number>
/** `completed 3, failed 1`, without zeros. */
export const countsText = (counts: Counts) =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map((pair) => pair.join(' '))
    .join(', ')

export const share = ({ total, done }: Checklist) => (total > 0 ? `${done}/${total}` : '')
/** The name of an actor, or its kind if it has none. */
export const actorName = ({ kind, name }: ShownActor) => name ?? kind

/** `status pending → completed`, for changes that fit in a few words. */
export function changesText(changes: ShownChanges): string {
  const short = (value: unknown) =>
    value === null ? '–' : typeof value === 'object' ? '…' : clean(String(value)).slice(0, 40)
  return Object.entries(changes)
    .map(([field, [before, after]]) => `${field} ${before === null ? '' : `${short(before)} → `}${short(after)}`)
    .join(', ')
}

export function webhookState({ enabled, disabledReason, failures }: ShownItem): string {
  if (!enabled) return disabledReason ? `disabled: ${disabledReason}` : 'disabled'
  return Number(failures) > 0 ? 'failing' : 'enabled'
}

export function happened({ kind, event, check, run, turn, appends, until, of: noun, count }: ShownItem): string {
  const of = (value: unknown) => value as ShownItem
  if (kind === 'event') {
    const { type, actor, changes } = of(event)
    return `${type} by ${actorName(actor as ShownActor)}: ${changesText(changes as ShownChanges)}`
  }
  if (kind === 'appends') return `${appends} append${appends === 1 ? '' : 's'} until ${until}`
  if (kind === 'omitted') return `${count} ${noun}${count === 1 ? ' is' : 's are'} not shown`
  if (kind === 'turn') {
    const { n, title, failure, interrupted } = of(turn)
    const end = failure ? `: ${of(failure).code}` : interrupted ? ': interrupted' : ''
    return `turn ${n} ${title ?? ''}${end}`
  }
  if (kind === 'check') return `${of(check).checkId} ${of(check).name}: ${of(check).result}`
  return `${of(run).runId} attempt ${of(run).attempt}: ${of(run).status}, ${of(run).verdict}`
}
