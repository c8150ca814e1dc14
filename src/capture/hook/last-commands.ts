import { snapshot } from '../../place/git/tree.ts'
import { shortOf } from '../../recorder/agents/activity.ts'
import { withUnheard } from '../../recorder/agents/droid/unheard.ts'
import type { Memo } from '../../recorder/memo.ts'
import type { Note } from '../spool/notes.ts'
import type { Recording } from '../spool/recordings.ts'
import type { State } from '../spool/state.ts'
import { commandTrees } from './note.ts'

/**
 * The notes of a session, with those of commands that failed just before its end. Droid runs no hook after them, nor at
 * its end if it is killed.
 */
export function withLastCommands(
  notes: Note[],
  { state, recording, objects }: { state: State; recording: Recording; objects: string },
  { transcript }: Memo,
): Note[] {
  const place = notes.findIndex(({ seen }) => seen.agent === 'droid' && seen.step.kind === 'end')
  const end = notes[place]
  if (!end || transcript === undefined) return notes
  const last = withUnheard([{ ...end.seen, transcript }]).flatMap((seen): Note[] => {
    const { step, id = '' } = seen
    if (step.kind !== 'tool' || step.command === undefined || state.isNoted(recording.name, id)) return []
    const begun = state.begun(recording.name, shortOf(step.command))
    const command = { ...step, command: step.command, begun }
    const take = () => snapshot(recording.cwd, objects)
    return [{ ...end, seen, git: commandTrees(state, { seen, recording, at: end.at }, command, take).git }]
  })
  return notes.toSpliced(place, 0, ...last)
}
