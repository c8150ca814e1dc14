import type { Moment, TranscriptReader } from '../transcripts/moment.ts'
import { transcriptOf } from '../transcripts/transcript.ts'
import { claudeMoments } from './claude/transcript.ts'
import { reviewsOf } from './codex/line.ts'
import { codexMoments } from './codex/transcript.ts'
import { copilotMoments } from './copilot/transcript.ts'
import { droidMoments } from './droid/transcript.ts'
import { geminiMoments } from './gemini/transcript.ts'
import { budget, filesIn, type ReadBudget } from './lines.ts'
import { qwenMoments } from './qwen/transcript.ts'
import type { Transcript } from './seen.ts'

interface AgentTranscripts {
  moments: TranscriptReader
  /** The transcripts that belong to one, in addition to those that its hooks named. */
  others?(path: string, left: ReadBudget): Promise<string[]>
  /** They tell each interruption by the user, so that a turn without one ended otherwise. */
  tellsInterruptions?: true
}

/** By the agent's name in the ledger. */
const sources = new Map<string, AgentTranscripts>([
  [
    'claude-code',
    {
      moments: claudeMoments,
      others: (path) => filesIn(`${path.replace(/\.jsonl$/, '')}/subagents`, '.jsonl'),
      tellsInterruptions: true,
    },
  ],
  ['codex', { moments: codexMoments, others: reviewsOf }],
  ['copilot', { moments: copilotMoments }],
  ['droid', { moments: droidMoments }],
  ['gemini', { moments: geminiMoments }],
  ['qwen', { moments: qwenMoments }],
])

/**
 * The content of the transcript of a session of `agent` (its name in the ledger); empty for an agent whose transcripts
 * we cannot read, and without what was written after `before`, in milliseconds since 1970. `subagents` are the
 * transcripts named at the ends of its subagents. This may take seconds, so no hook calls it. Throws if the file cannot
 * be read: it is missing, too large or not a regular file. Skips unreadable files of subagents.
 */
export async function readTranscript(
  agent: string,
  path: string,
  subagents: readonly string[] = [],
  before?: number,
): Promise<Transcript> {
  const source = sources.get(agent)
  if (!source) return {}
  const reported = await transcriptOf(await momentsOf(source, path, subagents, { ...budget(), before }))
  return source.tellsInterruptions ? { ...reported, tellsInterruptions: true } : reported
}

/**
 * The moments of a session with the contents of what its tools wrote, in the same way; undefined for an agent whose
 * transcripts do not have them.
 */
export async function readWritten(
  agent: string,
  path: string,
  subagents: readonly string[],
): Promise<AsyncIterable<Moment> | undefined> {
  const source = sources.get(agent)
  return source && momentsOf(source, path, subagents, { ...budget(), contents: true })
}

async function momentsOf(
  { moments, others }: AgentTranscripts,
  path: string,
  subagents: readonly string[],
  left: ReadBudget,
) {
  const more = (await others?.(path, { ...left })) ?? []
  return moments(path, [...new Set([...subagents, ...more])], () => {}, left)
}
