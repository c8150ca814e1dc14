import { mailOf, nameOf } from '../../contract/person.ts'
import type { Run } from '../../nouns/run/fields.ts'
import type { Turn } from '../../nouns/run/turn-fields.ts'
import { href } from '../app/router.ts'
import { type EndedList, lastTurnOf, readEnded } from '../data/lists/ended.ts'
import { useScope } from '../data/lists/projects.ts'
import { type DaySums, type Share, sumsOf, tellingOf } from '../data/lists/telling.ts'
import { useMine } from '../data/lists/whose.ts'
import { type Read, useRead } from '../data/query/read.ts'
import { serverNow } from '../data/query/timing.ts'
import { endOf } from '../data/runs/run-events.ts'
import { Problem } from '../ui/loading.tsx'
import { Outcome } from '../ui/status.tsx'
import { Author, plainLine, whyFailed } from '../ui/text.tsx'
import { Ago, When } from '../ui/time.tsx'
import { costOf, costOfUse, knownFor, plural } from '../ui/words.ts'

const dayMs = 86_400_000
const mostShares = 6

interface EndedItem {
  run: Run
  turn: Turn | undefined
}

interface News extends EndedList {
  /** When the last visit ended, in milliseconds; undefined in the first one. */
  visit: number | undefined
  endedAfter: string
  telling: EndedItem[]
}

/** Reads what ended since the last visit; in the first visit, within a day. */
export function useSince(visit: number | undefined): Read<News> {
  const project = useScope()
  const mine = useMine()
  return useRead(
    `since ${visit} ${mine} ${project.join(' ')}`,
    async (signal) => {
      const endedAfter = new Date(visit ?? serverNow() - dayMs).toISOString()
      const ended = await readEnded({ mine, ...(project.length > 0 && { project }) }, endedAfter, signal)
      const telling = tellingOf(ended.runs).map(async (run) => ({ run, turn: await lastTurnOf(run, signal) }))
      return { ...ended, visit, endedAfter, telling: await Promise.all(telling) }
    },
    { touches: ({ type, changes }) => type.startsWith('run.') && 'status' in changes, restMs: 5000 },
  )
}

/** What ended since the last visit. */
export function Since({ news: { data, error, isCurrent, reload } }: { news: Read<News> }) {
  const project = useScope()
  const mine = useMine() && 'true'
  if (error && !data) return <Problem error={error} onRetry={reload} />
  if (!data) return null
  const { runs, hasMore, telling, visit, endedAfter } = data
  const address = (more: Record<string, string>) => href(['runs'], { project, mine, endedAfter, ...more })
  const since =
    visit === undefined ? (
      'in the last 24 hours'
    ) : (
      <>
        since <When at={endedAfter} />
      </>
    )
  const costs = href(['trends'], { project, days: 7, by: 'author' })
  return (
    <section class="since-visit" aria-labelledby="since" aria-busy={!isCurrent}>
      <h2 id="since">{visit === undefined ? 'The last 24 hours' : 'Since you were here'}</h2>
      {runs.length === 0 ? (
        <p class="muted">
          Nothing{mine && ' of yours'} has ended {since}.
        </p>
      ) : (
        <>
          <Summary count={runs.length} hasMore={hasMore} sums={sumsOf(runs)} address={address} costs={costs} />
          <ul class="rows telling">
            {telling.map(({ run, turn }) => (
              <Telling key={run.id} run={run} turn={turn} />
            ))}
          </ul>
          <p class="more">
            <a href={address({})}>Everything {since}</a>
          </p>
        </>
      )}
    </section>
  )
}

interface SummaryProps {
  count: number
  hasMore: boolean
  sums: DaySums
  /** The list of runs of this time that match one more filter. */
  address: (more: Record<string, string>) => string
  /** The page of costs. */
  costs: string
}

/** How many ended, and how; what they cost, and whose they are. */
function Summary({ count, hasMore, sums: { failed, failing, costUsd, costed, shares }, address, costs }: SummaryProps) {
  const more = hasMore ? '+' : ''
  // A last one takes no more room than its count.
  const shown = shares.length === mostShares + 1 ? shares : shares.slice(0, mostShares)
  return (
    <p class="sums">
      <span>
        <b>{`${count.toLocaleString('en')}${more}`}</b> {count === 1 ? 'run' : 'runs'} ended
      </span>
      {failed > 0 && (
        <a class="wrong" href={address({ status: 'failed' })}>
          {failed}
          {more} failed
        </a>
      )}
      {failing > 0 && (
        <a class="wrong" href={address({ verdict: 'failing', status: 'completed' })}>
          {failing}
          {more} failing
        </a>
      )}
      <a href={costs} title="Costs of the last 7 days by author">
        <b>
          {costOf(costUsd)}
          {costUsd !== undefined && more}
        </b>{' '}
        cost
      </a>
      {costed > 0 && costed < count && <span class="muted">{knownFor(costed, count)}</span>}
      {shown.map((share) => (
        <ShareOf
          key={share.author}
          share={share}
          more={more}
          isNamesake={isNamesake(share, shares)}
          address={address}
        />
      ))}
      {shares.length > shown.length && <span class="muted">{plural(shares.length - shown.length, 'other')}</span>}
    </p>
  )
}

/** Whether another author has the same name, so that only their addresses tell them apart. */
const isNamesake = ({ author }: Share, shares: Share[]) =>
  shares.filter((other) => author && other.author && nameOf(other.author) === nameOf(author)).length > 1

interface ShareProps extends Pick<SummaryProps, 'address'> {
  share: Share
  /** Follows each count if there are more runs. */
  more: string
  isNamesake: boolean
}

function ShareOf({ share: { author, runs, failed }, more, isNamesake, address }: ShareProps) {
  const words = `${runs}${more}${failed > 0 ? `, ${failed}${more} failed` : ''}`
  if (author === null) return <span class="muted">No author {words}</span>
  return (
    <span class="share">
      <a href={address({ author: mailOf(author) ?? author })} title={author}>
        {isNamesake ? author : nameOf(author)}
      </a>{' '}
      {words}
    </span>
  )
}

/** A run with what was asked and what came of it, in a line each. */
function Telling({ run, turn }: EndedItem) {
  const prompt = turn?.prompt && plainLine(turn.prompt)
  const isAsked = prompt && turn.n > 1 && prompt !== run.title
  return (
    <li class="recap">
      <Outcome run={run} />
      <a class="title" href={href(['runs', run.project, run.runId])}>
        {run.title ?? run.runId}
      </a>
      <p class="outcome">
        {isAsked && <q>{prompt}</q>} {outcomeOf(run, turn)}
      </p>
      <span class="facts">
        {run.agent && <span>{run.agent}</span>}
        <Author author={run.author} />
        {run.usage?.costUsd !== undefined && <span class="cost">{costOfUse(run.usage)}</span>}
      </span>
      <Ago at={endOf(run)} />
    </li>
  )
}

/** Why it failed, or the first line of its last answer. */
function outcomeOf(run: Run, turn: Turn | undefined): string {
  const failed = whyFailed(run)
  if (failed) return failed
  if (run.verdict === 'failing' && run.why) return plainLine(run.why)
  return turn?.answer ? plainLine(turn.answer) : plainLine(run.why ?? '')
}
