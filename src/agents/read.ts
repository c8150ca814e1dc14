import type { Dialect, Env } from './dialect.ts'
import { claude, eventsLikeClaude, readLikeClaude } from './dialects/claude.ts'
import { codex } from './dialects/codex.ts'
import { copilot } from './dialects/copilot.ts'
import { cursor } from './dialects/cursor.ts'
import { droid } from './dialects/droid.ts'
import { gemini } from './dialects/gemini.ts'
import { opencode } from './dialects/opencode.ts'
import { qwen } from './dialects/qwen.ts'
import { defined, fieldsOf, isTooDeep } from './fields.ts'
import type { Seen } from './seen.ts'

const dialects: readonly Dialect[] = [opencode, cursor, claude, codex, gemini, qwen, droid, copilot]

/** For unknown agents that imitate Claude Code's hooks. The exit codes of their commands are unknown. */
const unknownEvents = eventsLikeClaude(() => undefined)

/**
 * Reads a hook document. Its own fields, and the environment of the hook, tell which agent wrote it; `named` is the agent
 * whose hooks it came through (`conduct hook NAME`), and decides where the fields do not. A document of nobody we know is
 * read as far as it is like Claude Code's, under the name `unknown`. Returns what it reports: mostly one thing, several for
 * a batch, nothing where it tells nothing of the work or is nested too deeply. Throws nothing.
 */
export function readDocument(named: string, document: unknown, env: Env): Seen[] {
  if (isTooDeep(document)) return []
  const fields = fieldsOf(document)
  const dialect =
    dialects.find((one) => one.owns(fields, env)) ?? dialects.find((one) => one.name === named && one.mayWrite(fields))
  if (!dialect) return readLikeClaude('unknown', unknownEvents, fields)
  if (dialect.onlyByOwnHooks && dialect.name !== named) return []
  const { tellsWaits, tellsEnds } = dialect
  return dialect.read(fields, env).map((seen) => defined({ ...seen, tellsWaits, tellsEnds }))
}

/**
 * What `conduct hook NAME` prints: nothing, because some agents add it to the prompt, or what the agent accepts as
 * having no opinion.
 */
export const answerOf = (named: string): string => (named === 'cursor' ? '{}' : '')
