import type { Output } from '../../client/client.ts'
import type { Run } from '../../nouns/run/fields.ts'
import type { Spec } from '../../nouns/spec/fields.ts'
import { href } from '../app/router.ts'
import { useEveryones } from '../data/lists/whose.ts'
import { type Appearance, Badge, statusLooks, verdictLooks } from '../ui/status.tsx'
import { Fact } from '../ui/text.tsx'
import { Ago } from '../ui/time.tsx'
import { costOf, knownFor } from '../ui/words.ts'

export const specLooks: Record<Spec['status'], Appearance> = {
  draft: { word: 'Draft', icon: 'dash', tone: 'quiet' },
  pending: { word: 'Pending', icon: 'clock', tone: 'quiet' },
  in_progress: { word: 'In progress', icon: 'activity', tone: 'busy' },
  completed: { word: 'Completed', icon: 'check', tone: 'good' },
  archived: { word: 'Archived', icon: 'folder', tone: 'quiet' },
}

/** In the order of the board. */
export const specStatuses = Object.keys(specLooks) as Spec['status'][]

/** The progress of a checklist in words and as a bar; nothing if there is none. */
export function Checklist({ checklist, isShort = false }: Pick<Spec, 'checklist'> & { isShort?: boolean }) {
  const { total, done } = checklist
  if (total === 0) return null
  const words = `${done} of ${total} done`
  const shown = isShort ? `${done}/${total}` : words
  return (
    <span class="checklist" style={{ '--characters': shown.length }} title={words}>
      <progress max={total} value={done} aria-label={words} />
      <span aria-hidden="true">{shown}</span>
    </span>
  )
}

/** The number of runs for each verdict. */
function VerdictCounts({ byVerdict }: { byVerdict: Record<Run['verdict'], number> }) {
  const some = Object.entries(verdictLooks).filter(([verdict]) => byVerdict[verdict as Run['verdict']] > 0)
  return (
    <span class="verdicts">
      {some.map(([verdict, look]) => (
        <Badge
          key={verdict}
          look={{ ...look, word: `${byVerdict[verdict as Run['verdict']]} ${look.word.toLowerCase()}` }}
          title={look.meaning}
        />
      ))}
    </span>
  )
}

type SpecWithTotals = Output<'getSpec'>['spec']

const count = (value: number | null) => value?.toLocaleString('en') ?? '—'

/** The facts of a spec beside its text: its author, and the totals of its runs. */
export function SpecFacts({ spec: { project, specId, agent, createdAt, totals } }: { spec: SpecWithTotals }) {
  const statuses = Object.entries(statusLooks).filter(([status]) => totals.byStatus[status as Run['status']] > 0)
  return (
    <dl class="about">
      <Fact name="Written by">{agent}</Fact>
      <Fact name="Created">
        <Ago at={createdAt} />
      </Fact>
      <Fact name="Runs">
        <a href={href(['runs'], { project, specId, mine: useEveryones() })}>{count(totals.runs)}</a>
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
      <Fact name="Cost">
        {costOf(totals.costUsd)}
        {totals.costed < totals.runs && totals.costed > 0 && `, ${knownFor(totals.costed, totals.runs)}`}
      </Fact>
    </dl>
  )
}

/** The address for writing a new spec, optionally with its id. */
export const newSpecAddress = (project?: string, specId?: string) => href(['specs'], { view: 'new', project, specId })
