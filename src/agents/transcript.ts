import { agents } from './agents.ts'
import type { Told } from './seen.ts'

/**
 * What the transcript of a session of `agent` (its name in the ledger) says. It may take seconds, so no hook calls it. Throws
 * where the file cannot be read: no regular file, too large, or missing.
 */
export async function readTranscript(agent: string, path: string): Promise<Told> {
  const usage = await agents.find((one) => one.agent === agent)?.usageOf?.(path)
  return usage ? { usage } : {}
}
