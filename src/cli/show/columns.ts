import { firstLine } from '../../contract/lines.ts'
import { nameOf } from '../../contract/person.ts'
import { spanOf } from '../../contract/span.ts'
import { clean } from '../../text/clean.ts'
import {
  actorName,
  type Checklist,
  type Counts,
  changesText,
  costText,
  countsText,
  evidenceOf,
  failureOf,
  happened,
  nowOf,
  type ShownActor,
  type ShownChanges,
  type ShownItem,
  share,
  timesUsed,
  unknown,
  webhookState,
  whyOf,
} from './cells.ts'

export interface TableColumn {
  head: string
  /** The field to show (`checklist.done`), or a function of the row. */
  of: string | ((row: ShownItem) => string)
  /** Whether the column shrinks first on a narrow terminal. */
  isWide?: true
}

export interface ShownTable {
  /** The field that identifies a row. */
  id: string
  columns: TableColumn[]
  /** A row with the totals. */
  total?: (answer: ShownItem) => ShownItem
  /** A field of the result that is printed below the table. */
  below?: string
}

const column = (head: string, of: TableColumn['of']): TableColumn => ({ head, of })
const wide = (head: string, of: TableColumn['of']): TableColumn => ({ head, of, isWide: true })
const created = column('CREATED', 'createdAt')
const updated = column('UPDATED', 'updatedAt')

/** The totals of a group of runs. */
const tallied = [
  column('RUNS', 'runs'),
  wide('STATUS', ({ byStatus }) => countsText(byStatus as Counts)),
  wide('VERDICT', ({ byVerdict }) => countsText(byVerdict as Counts)),
  column('TOKENS', ({ inputTokens, outputTokens }) =>
    inputTokens === null && outputTokens === null ? unknown : String(Number(inputTokens) + Number(outputTokens)),
  ),
  column('USD', costText),
  wide('COSTED', 'costed'),
]

/** The tables of lists, by the name of the list in the response. */
export const tables: Record<string, ShownTable> = {
  runs: {
    id: 'runId',
    columns: [
      column('RUN', 'runId'),
      column('STATUS', 'status'),
      column('NOW', nowOf),
      column('VERDICT', 'verdict'),
      column('SPEC', 'specId'),
      column('AGENT', 'agent'),
      wide('TITLE', 'title'),
      wide('WHY', ({ why, failure }) => failureOf(failure) ?? String(why ?? '')),
      created,
    ],
  },
  turns: {
    id: 'n',
    columns: [
      column('TURN', 'n'),
      column('ENDED', 'endedAt'),
      column('STATE', ({ open }) => (open ? 'open' : '')),
      column('MODEL', 'model'),
      column('TOOLS', ({ tools }) => String(timesUsed(tools as { count: number }[] | undefined))),
      column('USD', ({ usage }) => costText((usage ?? {}) as ShownItem)),
      wide('PROMPT', ({ prompt }) => clean(firstLine(String(prompt ?? ''), 200))),
      wide('ANSWER', ({ answer }) => clean(firstLine(String(answer ?? ''), 200))),
    ],
  },
  files: {
    id: 'path',
    columns: [wide('FILE', 'path'), column('ADDED', 'insertions'), column('DELETED', 'deletions')],
  },
  values: { id: 'value', columns: [column('VALUE', 'value')] },
  specs: {
    id: 'specId',
    columns: [
      column('SPEC', 'specId'),
      column('STATUS', 'status'),
      column('DONE', ({ checklist }) => share(checklist as Checklist)),
      wide('TITLE', 'title'),
      updated,
    ],
  },
  versions: { id: 'version', columns: [column('VERSION', 'version'), wide('TITLE', 'title'), created] },
  checks: {
    id: 'checkId',
    columns: [
      column('CHECK', 'checkId'),
      column('RUN', 'runId'),
      column('RESULT', 'result'),
      column('NAME', 'name'),
      wide('COMMAND', 'command'),
      wide('EVIDENCE', evidenceOf),
      created,
    ],
  },
  attention: {
    id: 'runId',
    columns: [
      column('RUN', 'runId'),
      column('REASON', 'reason'),
      column('STATE', ({ state }) => (state === 'open' ? '' : String(state))),
      column('UNTIL', 'until'),
      column('SPEC', 'specId'),
      wide('BRANCH', 'branch'),
      wide('AUTHOR', ({ run }) => personOf((run as ShownItem).author)),
      wide('ASSIGNEE', ({ assignee }) => personOf(assignee)),
      wide('TITLE', ({ run }) => String((run as ShownItem).title ?? '')),
      wide('WHY', whyOf),
      wide('NOTE', 'note'),
      column('SINCE', 'since'),
    ],
  },
  grouped: {
    id: 'key',
    columns: [
      column('BY', 'by'),
      wide('GROUP', ({ key }) => String(key ?? unknown)),
      column('RUNS', 'count'),
      column('WORST', 'reason'),
      wide('NEWEST', ({ runIds }) => String((runIds as string[])[0])),
      wide('WHY', ({ attention }) => whyOf((attention as ShownItem[])[0] as ShownItem)),
      column('SINCE', 'since'),
    ],
  },
  features: {
    id: 'id',
    columns: [
      column('ID', 'id'),
      column('NAME', 'name'),
      column('FILE', 'file'),
      wide('DESCRIPTION', 'description'),
      updated,
    ],
  },
  projects: {
    id: 'slug',
    columns: [column('PROJECT', 'slug'), wide('NAME', 'name'), wide('REPOSITORY', 'repository'), created],
  },
  keys: {
    id: 'id',
    columns: [
      column('ID', 'id'),
      wide('NAME', 'name'),
      column('KEY', ({ prefix }) => `${prefix}…`),
      column('PERMISSIONS', 'permissions'),
      column('PROJECT', 'project'),
      wide('PERSON', 'person'),
      column('USED', 'lastUsedAt'),
      column('EXPIRES', 'expiresAt'),
      column('REVOKED', 'revokedAt'),
    ],
  },
  webhooks: {
    id: 'id',
    columns: [
      column('ID', 'id'),
      wide('URL', 'url'),
      column('FORMAT', 'format'),
      column('PROJECT', 'project'),
      column('STATE', webhookState),
      column('AFTER', 'after'),
      column('LAG', 'lag'),
      column('DELIVERED', 'deliveredAt'),
      wide('LAST ERROR', 'lastError'),
    ],
  },
  deliveries: {
    id: 'id',
    columns: [
      column('AT', 'at'),
      column('FROM', 'firstSeq'),
      column('TO', 'lastSeq'),
      column('EVENTS', 'count'),
      column('ATTEMPT', 'attempt'),
      column('STATUS', 'statusCode'),
      column('TOOK', ({ durationMs }) => spanOf(Number(durationMs))),
      wide('ERROR', 'error'),
    ],
  },
  events: {
    id: 'seq',
    columns: [
      column('SEQ', 'seq'),
      column('AT', 'at'),
      column('TYPE', 'type'),
      column('SUBJECT', 'subject'),
      column('ACTOR', ({ actor }) => actorName(actor as ShownActor)),
      wide('CHANGES', ({ changes }) => changesText(changes as ShownChanges)),
    ],
  },
  groups: {
    id: 'value',
    total: ({ total }) => ({ ...(total as ShownItem), value: 'total' }),
    below: 'duration',
    columns: [column('VALUE', ({ value }) => String(value ?? unknown)), ...tallied],
  },
  days: {
    id: 'day',
    total: ({ total }) => ({ day: 'total', ...(total as ShownItem) }),
    below: 'duration',
    columns: [column('DAY', 'day'), ...tallied],
  },
  timeline: {
    id: 'at',
    columns: [column('AT', 'at'), column('KIND', 'kind'), wide('WHAT', happened)],
  },
  results: {
    id: 'subject',
    columns: [
      column('TYPE', 'type'),
      column('ID', 'subject'),
      column('STATUS', 'status'),
      column('VERDICT', 'verdict'),
      column('AGENT', 'agent'),
      wide('AUTHOR', ({ author }) => personOf(author)),
      wide('TITLE', 'title'),
      wide('FOUND', 'snippet'),
      wide('IN', ({ parts = [] }) => (parts as ShownItem[]).map(partText).join(' ')),
      column('BEGAN', 'at'),
    ],
  },
}

const personOf = (person: unknown) => (typeof person === 'string' ? nameOf(person) : '')

/** A part of a run: a turn as RUN-001/3, a diff with its file after it. */
const partText = ({ type, subject, title }: ShownItem) => (type === 'diff' ? `${subject}:${title}` : subject)
