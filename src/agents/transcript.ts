import { type Budget, budget } from './lines.ts'
import type { Told } from './seen.ts'
import { readClaude } from './transcripts/claude.ts'
import { readCodex } from './transcripts/codex.ts'
import { readCopilot } from './transcripts/copilot.ts'
import { readGemini } from './transcripts/gemini.ts'
import { readQwen } from './transcripts/qwen.ts'

type Reader = (path: string, subagents: readonly string[], left: Budget) => Promise<Told>

/** By the agent's name in the ledger. */
const readers = new Map<string, Reader>([
  ['claude-code', readClaude],
  ['codex', readCodex],
  ['copilot', readCopilot],
  ['gemini', readGemini],
  ['qwen', readQwen],
])

/**
 * The content of the transcript of a session of `agent` (its name in the ledger); empty for an agent whose transcripts
 * we cannot read, and without what was written after `before`, in milliseconds since 1970. `subagents` are the
 * transcripts named at the ends of its subagents. This may take seconds, so no hook calls it. Throws if a file cannot be
 * read: it is missing, too large or not a regular file.
 */
export async function readTranscript(
  agent: string,
  path: string,
  subagents: readonly string[] = [],
  before?: number,
): Promise<Told> {
  return (await readers.get(agent)?.(path, subagents, { ...budget(), before })) ?? {}
}
