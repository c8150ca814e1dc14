import { lengthOf } from '../../contract/news.ts'
import { nameOf } from '../../contract/person.ts'
import type { Event } from '../../log/fields.ts'
import { specLooks } from '../specs/spec-status.tsx'
import { resultLooks, verdictLooks } from '../ui/status.tsx'
import { timeWords } from '../ui/time.tsx'

/** A change in words: `completed` before the name of the thing, and its title and the result after it. */
export interface EventWords {
  /** Without it, the thing itself is what the sentence is about, or its verdict. */
  verb?: string
  isVerdict?: true
  title?: string
  outcome?: string
}

const before = ({ changes }: Event, field: string): unknown => changes[field]?.[0]
const after = ({ changes }: Event, field: string): unknown => changes[field]?.[1]

const wordOf = (looks: Record<string, { word: string }>, value: unknown) =>
  typeof value === 'string' && Object.hasOwn(looks, value) ? looks[value]?.word : undefined

const runVerbs: Record<string, string> = {
  pending: 'put back',
  in_progress: 'started',
  completed: 'completed',
  failed: 'ended',
}

/** What an event did, as the middle and the end of a sentence. `times` says how often in a row. */
export function deedOf(event: Event, times = 1): EventWords {
  const [noun = '', made = ''] = event.type.split('.')
  if (noun === 'attention') return attentionDeed(event)
  if (times > 1) return { verb: 'wrote to', outcome: `${times.toLocaleString('en')} times` }
  if (made === 'created') {
    const verb = noun === 'check' ? 'recorded' : 'created'
    return { verb, title: titleOf(event), outcome: wordOf(resultLooks, after(event, 'result')) }
  }
  if (made === 'deleted' || made === 'opened') return { verb: made }
  if (made === 'rejudged') return { verb: 'judged by a new rule', outcome: updateOutcome(event) }
  if (made === 'waiting') return { verb: 'waited in', outcome: `for ${after(event, 'tool') ?? 'a person'}` }
  if (made === 'idle') {
    return { verb: 'ended a turn of', outcome: `after ${lengthOf(Number(after(event, 'turnSeconds')))}` }
  }
  if (isVerdict(event)) {
    const verdict = wordOf(verdictLooks, after(event, 'verdict'))
    return { isVerdict: true, outcome: verdict ? `is now ${verdict}` : 'has another reason' }
  }
  if (noun === 'key' && event.changes.revokedAt !== undefined) return { verb: 'revoked' }
  return { verb: updateVerb(noun, event), outcome: updateOutcome(event) }
}

/** What Conduct derives from checks. The actor of such an event only recorded a check. */
const judged = ['verdict', 'why', 'evidence']

function isVerdict({ type, changes }: Event): boolean {
  const fields = Object.keys(changes)
  return type === 'run.updated' && fields.length > 0 && fields.every((field) => judged.includes(field))
}

const needs: Record<string, string> = { failing: 'a check fails', failed: 'it failed', vanished: 'its agent vanished' }

/** What happened to a run on the list of those that need attention. */
function attentionDeed(event: Event): EventWords {
  const [, made] = event.type.split('.')
  const [reason, until, assignee] = ['reason', 'until', 'assignee'].map((field) => after(event, field))
  if (made === 'cleared') return { outcome: 'no longer needs attention' }
  if (typeof reason === 'string') return { outcome: `needs attention: ${needs[reason] ?? reason}` }
  if (after(event, 'resolvedAt')) return { verb: 'resolved what needed attention in' }
  if (typeof until === 'string') return { verb: 'put off', outcome: `until ${timeWords(until)}` }
  if (until === null || after(event, 'resolvedAt') === null) return { verb: 'reopened' }
  if (typeof assignee === 'string') return { verb: 'assigned', outcome: `to ${nameOf(assignee)}` }
  if (assignee === null) return { verb: 'unassigned', outcome: `from ${nameOf(String(before(event, 'assignee')))}` }
  if ('note' in event.changes) return { verb: 'wrote a note on' }
  return { outcome: 'needs attention again' }
}

/** What an event of an erasure says was erased. */
export function erasedOf(event: Event): string {
  const what = after(event, 'what')
  if (what === 'retention') return `the texts of ${runsOf(event)}`
  if (what === 'log') return `events before number ${after(event, 'first')} from the log`
  if (what === 'run' || what === 'spec') return `the texts of ${what} ${after(event, `${what}Id`)}`
  return what === 'project' ? 'all texts' : 'texts that contained some words'
}

/** The runs that an erasure by retention names. */
function runsOf(event: Event): string {
  const runIds = after(event, 'runIds')
  const [first, ...others] = Array.isArray(runIds) ? runIds : []
  return others.length === 0 ? `run ${first}` : `${others.length + 1} runs that ended long ago`
}

function titleOf(event: Event): string | undefined {
  const title = after(event, 'title') ?? after(event, 'name')
  return typeof title === 'string' ? title.slice(0, 120) : undefined
}

function updateVerb(noun: string, event: Event): string {
  const status = after(event, 'status')
  if (noun === 'run' && status === 'in_progress' && before(event, 'status') === 'failed') return 'resumed'
  if (noun === 'run' && typeof status === 'string') return runVerbs[status] ?? 'updated'
  if (noun === 'spec' && typeof status === 'string') return 'moved'
  if ('content' in event.changes) return noun === 'run' ? 'wrote to' : 'edited'
  if ('labels' in event.changes) return 'labelled'
  return 'updated'
}

function updateOutcome(event: Event): string | undefined {
  const verdict = wordOf(verdictLooks, after(event, 'verdict'))
  const result = wordOf(resultLooks, after(event, 'result'))
  const failure = after(event, 'failure')
  const message =
    failure instanceof Object && 'message' in failure ? String(failure.message).split('\n', 1)[0] : undefined
  const failed = event.type === 'run.updated' && after(event, 'status') === 'failed' && 'as failed'
  const place = event.type === 'spec.updated' && wordOf(specLooks, after(event, 'status'))
  const said = [
    place && `to ${place}`,
    failed,
    verdict && `now ${verdict}`,
    result && `now ${result}`,
    message?.slice(0, 200),
  ]
  return said.filter(Boolean).join(', ') || undefined
}
