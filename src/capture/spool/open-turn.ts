import { maskDeep } from '../../mask/mask.ts'
import type { OpenTurn } from '../../nouns/run/turn-fields.ts'
import { memoOf, stepOf } from '../../recorder/earlier.ts'
import { reportAlone } from '../../recorder/facts.ts'
import { shownTurn, unfinished } from '../../recorder/open.ts'
import { step } from '../../recorder/step.ts'
import { pathsOf } from '../work/placed.ts'
import type { Note } from './notes.ts'
import type { Recording } from './recordings.ts'

/**
 * What stands so far of the open turn of a session, masked: what its settled notes left, and what its hooks have noted since.
 * Undefined if no turn is open.
 */
export async function openTurnOf({ memo, cwd }: Recording, notes: Note[]): Promise<OpenTurn | undefined> {
  const before = memoOf(memo, notes[0]?.at ?? Date.now())
  const now = notes.reduce(
    (memo, { seen, at }) => step(memo, { ...seen, step: stepOf(seen) }, { ...reportAlone, at, agent: '' }).memo,
    before,
  )
  const turn = unfinished(now)
  // Masked before it is cut to what the ledger takes, because a mask may be longer than what it replaces.
  return turn && shownTurn(await maskDeep(turn), (files) => pathsOf(now.base?.root, cwd, files))
}
