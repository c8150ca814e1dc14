import type { Output } from '../../client/client.ts'
import type { Run } from '../../nouns/run/fields.ts'
import { href } from '../app/router.ts'
import { Fact } from '../ui/fact.tsx'
import { Badge, statusLooks } from '../ui/status.tsx'
import { Ago } from '../ui/time.tsx'
import { costOf } from '../ui/words.ts'
import { VerdictCounts } from './spec-status.tsx'

type FullSpec = Output<'getSpec'>['spec']

const count = (value: number | null) => value?.toLocaleString('en') ?? '—'

/** The facts of a spec beside its text: its author, and the totals of its runs. */
export function SpecFacts({ spec: { project, specId, agent, createdAt, totals } }: { spec: FullSpec }) {
  const statuses = Object.entries(statusLooks).filter(([status]) => totals.byStatus[status as Run['status']] > 0)
  return (
    <dl class="about">
      <Fact name="Written by">{agent}</Fact>
      <Fact name="Created">
        <Ago at={createdAt} />
      </Fact>
      <Fact name="Runs">
        <a href={href(['runs'], { project, specId })}>{count(totals.runs)}</a>
        {totals.attempts > 0 && `, ${count(totals.attempts)} of them further attempts`}
      </Fact>
      <Fact name="Status">
        {totals.runs > 0 && (
          <span class="verdicts">
            {statuses.map(([status, look]) => (
              <Badge
                key={status}
                look={{ ...look, word: `${totals.byStatus[status as Run['status']]} ${look.word.toLowerCase()}` }}
              />
            ))}
          </span>
        )}
      </Fact>
      <Fact name="Verdicts">{totals.runs > 0 && <VerdictCounts byVerdict={totals.byVerdict} />}</Fact>
      <Fact name="Tokens">
        {(totals.inputTokens ?? totals.outputTokens) === null
          ? '—'
          : `${count(totals.inputTokens)} in, ${count(totals.outputTokens)} out`}
      </Fact>
      <Fact name="Cost">{costOf(totals.costUsd)}</Fact>
    </dl>
  )
}
