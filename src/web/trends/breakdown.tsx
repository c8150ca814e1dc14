import { mailOf } from '../../contract/person.ts'
import { href, type Query } from '../app/router.ts'
import { useEveryones } from '../data/lists/whose.ts'
import { type Cell, CsvButton } from '../ui/download.tsx'
import { costOf, knownFor, partOf, plural } from '../ui/words.ts'
import { type Breakdown, breakdowns, shareOf, successOf, type TrendGroup, timeOf, tokensText } from './measures.ts'

/** The most groups that the server returns. */
const most = 100

interface Props {
  by: Breakdown
  groups: TrendGroup[]
  days: number
  /** What else the runs have in common: the filters of a list of runs. */
  filter: Query
}

/** The totals of the runs of each agent, author, spec and so on, most runs first. */
export function BreakdownTable({ by, groups, days, filter }: Props) {
  return (
    <>
      {/* Where it is too wide it scrolls in its own place, also by keys. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keys */}
      <section class="scrolls whole" aria-label={`Runs by ${breakdowns[by].toLowerCase()}`} tabIndex={0}>
        <table class="series">
          <thead>
            <tr>
              {[
                breakdowns[by],
                'Runs',
                'Success',
                'Verified',
                'Cost',
                'Tokens',
                'Median duration',
                '90th percentile',
              ].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {groups.map((group) => (
              <GroupRow key={group.value} by={by} group={group} filter={filter} />
            ))}
          </tbody>
        </table>
      </section>
      <p class="more">
        <CsvButton name={`runs-by-${by}-${days}-days`} rows={() => csvRows(by, groups)} />
        {groups.length >= most && <span class="muted">These are the {most} with the most runs.</span>}
        {by === 'model' && (
          <span class="muted">
            A run that used several models is in the row of each, with the cost and tokens of its turns there.
          </span>
        )}
      </p>
    </>
  )
}

function GroupRow({ by, group, filter }: Pick<Props, 'by' | 'filter'> & { group: TrendGroup }) {
  const { runs, byStatus, byVerdict, costed, duration } = group
  const success = successOf(byStatus)
  return (
    <tr>
      <th scope="row">
        <Name by={by} value={group.value} filter={filter} />
      </th>
      <td>{runs.toLocaleString('en')}</td>
      <td title={success.note}>{success.share}</td>
      <td title={`${partOf(byVerdict.verified, runs)} verified`}>{shareOf(byVerdict.verified, runs)}</td>
      <td title={`Cost, ${knownFor(costed, runs)}`}>
        {costOf(group.costUsd)}
        {costed > 0 && costed < runs && <span class="muted">, known for {costed.toLocaleString('en')}</span>}
      </td>
      <td>{tokensText(group)}</td>
      <td title={`Of ${plural(duration.runs, 'run')} that ended`}>{timeOf(duration.medianMs)}</td>
      <td>{timeOf(duration.p90Ms)}</td>
    </tr>
  )
}

function Name({ by, value, filter }: Pick<Props, 'by' | 'filter'> & { value: string | null }) {
  const mine = useEveryones()
  if (value === null) return <span title={`Runs that name no ${breakdowns[by].toLowerCase()}${more[by] ?? ''}`}>—</span>
  // The row has every spelling of an address, and so has the list.
  const found = by === 'author' ? (mailOf(value) ?? value) : value
  return <a href={href(['runs'], { ...filter, [by]: found, mine })}>{value}</a>
}

/** What else is in the row of no value. */
const more: { [By in Breakdown]?: string } = { model: ', and what no turn of a run with several explains' }

/** The numbers of the table: milliseconds, dollars, and counts instead of shares. */
function csvRows(by: Breakdown, groups: TrendGroup[]): Cell[][] {
  const columns = [
    'runs',
    'completed',
    'failed',
    'verified',
    'cost_usd',
    'cost_known_for_runs',
    'input_tokens',
    'output_tokens',
  ]
  return [
    [by, ...columns, 'median_ms', 'p90_ms'],
    ...groups.map((group) => [
      group.value,
      group.runs,
      group.byStatus.completed,
      group.byStatus.failed,
      group.byVerdict.verified,
      group.costUsd,
      group.costed,
      group.inputTokens,
      group.outputTokens,
      group.duration.medianMs,
      group.duration.p90Ms,
    ]),
  ]
}
