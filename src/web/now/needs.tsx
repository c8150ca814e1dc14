import { Fragment } from 'preact'
import { useContext, useRef, useState } from 'preact/hooks'
import { href } from '../app/router.ts'
import {
  AttentionContext,
  attentionSince,
  decide,
  type Need,
  type NeedsGroup,
  useDecided,
} from '../data/lists/needs.ts'
import { useScope } from '../data/lists/projects.ts'
import { useMine } from '../data/lists/whose.ts'
import { useAct } from '../data/query/change.ts'
import { useRead } from '../data/query/read.ts'
import { client } from '../data/query/server.ts'
import { may, useSession } from '../data/query/session.ts'
import { NoneOfYours } from '../ui/begin.tsx'
import { More, Problem } from '../ui/loading.tsx'
import { timeWords } from '../ui/time.tsx'
import { type Done, Undo } from './decide.tsx'
import { NeedGroup, NeedRow } from './need.tsx'

const shown = 20

/** The runs that need attention, in groups, and what was decided about others. */
export function Needs({ looked }: { looked: number }) {
  const { groups, count, hasMore, isCut, isRead, isCurrent, error } = useContext(AttentionContext)
  const [done, setDone] = useState<Done>()
  const [isAll, setAll] = useState(false)
  const some = isAll ? groups : groups.slice(0, shown)
  const { list, heading, onFocus, goOn } = usePlace()
  return (
    <section aria-labelledby="needs" aria-busy={!isCurrent}>
      <h2 id="needs" ref={heading} tabIndex={-1}>
        Needs attention <span class="muted">{isRead && `${count.toLocaleString('en')}${hasMore ? '+' : ''}`}</span>
      </h2>
      {error && <Problem error={error} />}
      {isRead && count === 0 && isCurrent && <Nothing words="needs attention" />}
      <ul class="rows" ref={list} onFocusCapture={onFocus}>
        {some.map((group) => (
          <NeedGroup key={keyOf(group)} group={group} isNew={Date.parse(group.since) > looked} onDone={setDone} />
        ))}
      </ul>
      {done && (
        <Undo
          key={done.at}
          done={done}
          onClose={(hadFocus) => {
            setDone(undefined)
            if (hadFocus) goOn()
          }}
        />
      )}
      {groups.length > some.length && (
        <p class="more">
          <button type="button" class="plain" onClick={() => setAll(true)}>
            {groups.length - some.length} more
          </button>
        </p>
      )}
      {isCut && groups.length === some.length && (
        <p class="muted small">
          These are the newest {groups.length}. Earlier ones follow when some are put off or resolved.
        </p>
      )}
      <Decided />
      <Elsewhere />
    </section>
  )
}

/** Where the focus was in the list, and how it goes on from there: to the row that is there now, else to the heading. */
function usePlace() {
  const list = useRef<HTMLUListElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  const at = useRef(0)
  const rows = () => [...(list.current?.querySelectorAll('.brief') ?? [])]
  const onFocus = ({ target }: Event) => {
    at.current = rows().findIndex((row) => row.contains(target as Node))
  }
  const goOn = () => {
    const row = rows()[at.current] ?? rows().at(-1)
    const next = row?.querySelector<HTMLElement>('.title') ?? heading.current
    next?.focus({ preventScroll: true })
  }
  return { list, heading, onFocus, goOn }
}

const Nothing = ({ words }: { words: string }) =>
  useMine() ? <NoneOfYours words={`None of your runs ${words}.`} /> : <p class="empty">Nothing {words}.</p>

const keyOf = ({ project, by, key }: NeedsGroup) => `${project} ${by} ${key}`

/** What people have put off or resolved, read once it is opened. */
function Decided() {
  const [isOpen, setOpen] = useState(false)
  return (
    <details class="decided" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Put off and resolved</summary>
      {isOpen && <DecidedRows />}
    </details>
  )
}

function DecidedRows() {
  const project = useScope()
  const mine = useMine()
  const lists = [useDecided('put-off', project, mine), useDecided('resolved', project, mine)]
  const isNothing = lists.every(({ items, isRead, isOther }) => isRead && !isOther && items.length === 0)
  return (
    <>
      {isNothing && <Nothing words="is put off or resolved" />}
      {lists.map((list, at) => (
        <Fragment key={at}>
          <ul class="rows">
            {list.items.map((need) => (
              <NeedRow key={need.id} need={need} note={noteOf(need)}>
                <Reopen need={need} />
              </NeedRow>
            ))}
          </ul>
          <More list={list} />
        </Fragment>
      ))}
    </>
  )
}

const noteOf = ({ until, resolvedBy }: Need) =>
  until === null ? `Resolved${resolvedBy?.name ? ` by ${resolvedBy.name}` : ''}` : `Until ${timeWords(until)}`

function Reopen({ need: { project, runId, state } }: { need: Need }) {
  const { act, isBusy, error } = useAct()
  if (!may(useSession(), 'write')) return null
  const open = state === 'resolved' ? { resolved: false } : { until: null }
  return (
    <>
      <button type="button" class="plain" disabled={isBusy} onClick={() => act(() => decide(project, [runId], open))}>
        Reopen<span class="unseen"> {runId}</span>
      </button>
      {error && <Problem error={error} />}
    </>
  )
}

const links = [
  { words: 'completed, not checked', filter: { status: 'completed', verdict: 'unchecked' } },
  { words: 'changed since they were checked', filter: { status: 'completed', verdict: 'stale' } },
] as const

const mostCounted = 100

/** Links to runs without a valid check, which nobody need look at one by one. */
function Elsewhere() {
  const project = useScope()
  const mine = useMine()
  const { data } = useRead(`unchecked ${mine} ${project.join(' ')}`, (signal) => countAll(project, mine, signal), {
    touches: ({ type, changes }) => type.startsWith('run.') && ('status' in changes || 'verdict' in changes),
    restMs: 10_000,
  })
  if (!data) return null
  const { createdAfter, counts } = data
  return (
    <p class="more">
      {links.map(({ words, filter }, at) => {
        const { count = 0, hasMore = false } = counts[at] ?? {}
        return (
          count > 0 && (
            <a key={words} href={href(['runs'], { project, mine: mine && 'true', createdAfter, ...filter })}>
              {`${count}${hasMore ? '+' : ''} ${words}`}
            </a>
          )
        )
      })}
    </p>
  )
}

async function countAll(projects: string[], mine: true | undefined, signal: AbortSignal) {
  const createdAfter = attentionSince().toISOString()
  const project = projects.length > 0 ? projects : undefined
  const counting = links.map(async ({ filter: { status, verdict } }) => {
    const filter = { project, mine, status: [status], verdict: [verdict], createdAfter, limit: mostCounted }
    const { runs, meta } = await client.listRuns(filter, { signal })
    return { count: runs.length, hasMore: meta.hasMore }
  })
  return { createdAfter, counts: await Promise.all(counting) }
}
