import { costOf } from '../ui/words.ts'
import { allTokensText, partOf, type Stats, shareOf, timeOf, tokensText } from './measures.ts'

/** The totals of all runs of the period. */
export function Figures({ stats: { total, duration }, days }: { stats: Stats; days: number }) {
  const { runs, byStatus, byVerdict, costed } = total
  const part = (count: number) => partOf(count, runs)
  return (
    <dl class="figures">
      <Figure name="Runs" value={runs.toLocaleString('en')} note={`in ${days} days`} />
      <Figure name="Success" value={shareOf(byStatus.completed, runs)} note={`${part(byStatus.completed)} completed`} />
      <Figure name="Verified" value={shareOf(byVerdict.verified, runs)} note={`${part(byVerdict.verified)} verified`} />
      <Figure
        name="Median duration"
        value={timeOf(duration.medianMs)}
        note={`of ${duration.runs.toLocaleString('en')} that ended`}
      />
      <Figure name="90th percentile" value={timeOf(duration.p90Ms)} note="nine of ten are shorter" />
      <Figure name="Cost" value={costOf(total.costUsd)} note={`known for ${part(costed)}`} />
      <Figure name="Tokens" value={allTokensText(total)} note={tokensText(total)} />
    </dl>
  )
}

function Figure({ name, value, note }: { name: string; value: string; note: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <b>{value}</b>
        <span class="muted small">{note}</span>
      </dd>
    </div>
  )
}
