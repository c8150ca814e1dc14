import type { Run } from '../../nouns/run/fields.ts'
import type { Spec } from '../../nouns/spec/fields.ts'
import { Badge, type Look, verdictLooks } from '../ui/status.tsx'

export const specLooks: Record<Spec['status'], Look> = {
  draft: { word: 'Draft', icon: 'dash', tone: 'quiet' },
  pending: { word: 'Pending', icon: 'clock', tone: 'quiet' },
  in_progress: { word: 'In progress', icon: 'activity', tone: 'busy' },
  completed: { word: 'Completed', icon: 'check', tone: 'good' },
  archived: { word: 'Archived', icon: 'folder', tone: 'quiet' },
}

/** In the order of the board. */
export const specStatuses = Object.keys(specLooks) as Spec['status'][]

/** The progress of a checklist in words and as a bar; nothing if there is none. */
export function Checklist({ checklist: { total, done } }: Pick<Spec, 'checklist'>) {
  if (total === 0) return null
  const words = `${done} of ${total} done`
  return (
    <span class="checklist">
      <progress max={total} value={done} aria-label={words} />
      <span aria-hidden="true">{words}</span>
    </span>
  )
}

/** The number of runs for each verdict. */
export function VerdictCounts({ byVerdict }: { byVerdict: Record<Run['verdict'], number> }) {
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
