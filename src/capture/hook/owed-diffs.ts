import type { DiffInput } from '../../nouns/run/diff/fields.ts'
import type { OwedDiff } from '../../recorder/memo.ts'
import { newCall } from '../spool/calls.ts'
import type { OwedOf } from '../spool/diffs.ts'
import type { Spool } from '../spool/state.ts'
import { transcriptDiffs } from '../work/transcript-diffs.ts'
import { turnDiffs } from '../work/turn-diffs.ts'

/** The most bytes of one call as JSON, and the most files. A server takes twice as many bytes. */
const most = { bytes: 700_000, files: 100 }

/**
 * Makes the diffs of turns and queues them to be sent, at least those of one turn, until there is something else to do.
 */
export async function payDiffs(state: Spool, isWoken: () => boolean): Promise<void> {
  for (const owed of state.owed()) {
    // Where they cannot be made, the turn says which files it has no diff of.
    const diffs = await diffsOf(owed).catch(() => [])
    state.pay(owed, (turn) => portions(diffs).map((some) => newCall('addDiffs', { turn, diffs: some })))
    if (isWoken()) return
  }
}

function diffsOf({ trees }: OwedOf): Promise<DiffInput[]> {
  // As `settle` has stored it.
  const owed = trees as OwedDiff
  return 'transcript' in owed ? transcriptDiffs(owed) : turnDiffs(owed)
}

/** Splits the diffs of a turn into those of single calls. */
export function portions<Diff>(diffs: Diff[]): Diff[][] {
  const all: Diff[][] = []
  let bytes = 0
  for (const diff of diffs) {
    const size = Buffer.byteLength(JSON.stringify(diff))
    bytes += size
    if (all.length === 0 || bytes > most.bytes || all.at(-1)?.length === most.files) {
      all.push([])
      bytes = size
    }
    all.at(-1)?.push(diff)
  }
  return all
}
