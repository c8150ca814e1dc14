import { costOf } from '../ui/cost.ts'
import { allTokensText, type Stats, shareOf, timeOf, tokensText } from './measures.ts'

/** The totals of all runs of the period. */
export function Figures({ stats: { total, duration }, days }: { stats: Stats; days: number }) {
  const { runs, byStatus, byVerdict, costed } = total
  return (
    <dl class="figures">
      <Figure name="Runs" value={runs.toLocaleString('en')} note={`in ${days} days`} />
      <Figure
        name="Success"
        value={shareOf(byStatus.completed, runs)}
        note={`${byStatus.completed} of ${runs} runs completed`}
      />
      <Figure
        name="Verified"
        value={shareOf(byVerdict.verified, runs)}
        note={`${byVerdict.verified} of ${runs} runs verified`}
      />
      <Figure name="Median duration" value={timeOf(duration.medianMs)} note={`of ${duration.runs} that ended`} />
      <Figure name="90th percentile" value={timeOf(duration.p90Ms)} note="nine of ten are shorter" />
      <Figure name="Cost" value={costOf(total.costUsd)} note={`known for ${costed} of ${runs} runs`} />
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
