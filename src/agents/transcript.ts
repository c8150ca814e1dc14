import type { Told } from './seen.ts'
import { readClaude } from './transcripts/claude.ts'
import { readCodex } from './transcripts/codex.ts'
import { readCopilot } from './transcripts/copilot.ts'
import { readGemini } from './transcripts/gemini.ts'
import { readQwen } from './transcripts/qwen.ts'

type Reader = (path: string, subagents: readonly string[]) => Promise<Told>

/** By the agent's name in the ledger. */
const readers = new Map<string, Reader>([
  ['claude-code', readClaude],
  ['codex', readCodex],
  ['copilot', readCopilot],
  ['gemini', readGemini],
  ['qwen', readQwen],
])

/**
 * What the transcript of a session of `agent` (its name in the ledger) says; nothing for an agent whose transcripts are not
 * known. `subagents` are the transcripts that the ends of its subagents named. It may take seconds, so no hook calls it.
 * Throws where a file cannot be read: no regular file, too large, or missing.
 */
export async function readTranscript(agent: string, path: string, subagents: readonly string[] = []): Promise<Told> {
  return (await readers.get(agent)?.(path, subagents)) ?? {}
}
