import { type Client, ConductError } from '../client/client.ts'
import type { State } from './state.ts'

/** How often others may be first before a later delivery tries again. */
const mostTries = 5

/** A queued append of a recording whose end is known. */
export interface Append {
  name: string
  /** Of the queued call. */
  id: number
  input: { runId: string; text: string; leaseToken?: string }
}

/**
 * Appends a text once, however often and by however many processes it is tried: a text that stands at its offset is not
 * appended again, and nothing is sent at another offset before that is on disk. Returns where the content ends then;
 * undefined where another process has appended it.
 */
export async function appendOnce(
  client: Client,
  state: State,
  { name, id, input }: Append,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  for (let tries = 1; ; tries++) {
    const offset = state.find(name)?.appended ?? 0
    if (state.next(name)?.id !== id) return undefined
    try {
      await client.appendToRun({ ...input, offset }, { signal })
      return offset + Buffer.byteLength(input.text)
    } catch (error) {
      if (!(error instanceof ConductError) || error.code !== 'CONFLICT') throw error
      if (tries === mostTries) throw new Error(`Others write to the run all the time. ${error.message}`)
      // Others have written. Another process that sends this too may have found the end, and appended there.
      const { next } = await client.readContent({ runId: input.runId, after: Number.MAX_SAFE_INTEGER }, { signal })
      state.moveEnd(name, offset, next)
    }
  }
}
