import type { FileDiff } from '../../../nouns/run/diff/fields.ts'
import { type Read, useRead } from '../query/read.ts'
import { clientOf } from '../query/server.ts'
import { isTurnOf } from './run-events.ts'

export interface Diff {
  files: FileDiff[]
  /** How many files changed whose diff is not among them. */
  missing: number
}

/** The most files to read, and to read at once. */
const [most, limit] = [1000, 100]

/** Reads what a run, or one of its turns, wrote. */
export const useDiff = (project: string, runId: string, turn: number | undefined): Read<Diff> =>
  useRead(`diff ${turn ?? ''}`, (signal) => readDiff(project, runId, turn, signal), {
    touches: (event) => /^turn\.(created|updated)$/.test(event.type) && isTurnOf(event, project, runId),
    restMs: 2000,
  })

async function readDiff(project: string, runId: string, turn: number | undefined, signal: AbortSignal): Promise<Diff> {
  const client = clientOf(project)
  const files: FileDiff[] = []
  let cursor: string | undefined
  for (;;) {
    const page = await client.getDiff({ runId, turn, limit, cursor }, { signal })
    files.push(...page.files)
    const { nextCursor, total, omitted = 0 } = page.meta
    if (nextCursor === undefined || files.length >= most) return { files, missing: total - files.length + omitted }
    cursor = nextCursor
  }
}
