import type { Run } from '../../../nouns/run/fields.ts'
import { clientOf } from '../query/server.ts'
import { questionsOf } from '../runs/questions.ts'

/** Whether the last answer of an idle run asks, by its state; undefined if that could not be read. */
export type KnownAsking = ReadonlyMap<string, boolean | undefined>

const keyOf = ({ id, version, activity }: Run) => `${id} ${version} ${activity?.since}`

/** Reads the last answer of each idle run whose state is not `known`. */
export async function readAsking(runs: Run[], known: KnownAsking, signal: AbortSignal): Promise<KnownAsking> {
  const idle = runs.filter(({ activity }) => activity?.state === 'idle')
  const read = idle.map(async (run) => {
    const key = keyOf(run)
    return [key, known.get(key) ?? (await isAnswerAsking(run, signal).catch(() => undefined))] as const
  })
  return new Map(await Promise.all(read))
}

async function isAnswerAsking({ project, runId }: Run, signal: AbortSignal): Promise<boolean> {
  const { turns } = await clientOf(project).listTurns({ runId, order: 'desc', limit: 1 }, { signal })
  return questionsOf(turns[0]?.answer ?? '').length > 0
}

/** Whether a run waits for a person: its agent says so, or its last answer asks. */
export const isWaiting = (run: Run, asking: KnownAsking): boolean =>
  run.activity?.state === 'waiting' || asking.get(keyOf(run)) === true
