import { type Client, ConductError } from '../../client/client.ts'
import type { Gap } from '../../text/content.ts'
import type { State } from './state.ts'

/** How often others may append first before we leave it to a later delivery. */
const mostTries = 5

/** A queued append of a recording whose content has a known end. */
export interface Append {
  name: string
  /** The id of the queued call. */
  id: number
  input: { runId: string; text: string; dropped?: Gap & { lines: number }; leaseToken?: string }
}

/**
 * Appends a text once, however often and by however many processes it is tried: a text that is already at its offset is
 * not appended again, and no other offset is used before it is on disk. Returns where the content then ends; undefined
 * if another process has appended the text.
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
      const { next } = await client.appendToRun({ ...input, offset }, { signal })
      // An older server does not say it.
      return next ?? offset + Buffer.byteLength(input.text)
    } catch (error) {
      if (!(error instanceof ConductError) || error.code !== 'CONFLICT') throw error
      if (tries === mostTries) throw new Error(`Other writers keep appending to the run. ${error.message}`)
      // Others have written. Another process that also sends this may have found the end and appended there.
      const { next } = await client.readContent({ runId: input.runId, after: Number.MAX_SAFE_INTEGER }, { signal })
      state.moveEnd(name, offset, next)
    }
  }
}
