import { claude, eventsLikeClaude, readLikeClaude } from './claude/hooks.ts'
import { codex } from './codex/hooks.ts'
import { copilot } from './copilot/hooks.ts'
import { cursor } from './cursor/hooks.ts'
import type { AgentDialect, AgentEnv } from './dialect.ts'
import { droid } from './droid/hooks.ts'
import { defined, fieldsOf, isTooDeep, type JsonFields, numberOf } from './fields.ts'
import { gemini } from './gemini/hooks.ts'
import { opencode } from './opencode/hooks.ts'
import { qwen } from './qwen/hooks.ts'
import type { Seen } from './seen.ts'

const dialects: readonly AgentDialect[] = [opencode, cursor, claude, codex, gemini, qwen, droid, copilot]

/** For other agents that imitate Claude Code's hooks. Only the fields of `docs/your-own-agent.md` are certain. */
const otherEvents = eventsLikeClaude(({ tool_response }) => numberOf(fieldsOf(tool_response).exit_code))

/** The name that an agent gives itself; undefined without one that fits into the ledger and into names of files. */
const ownName = ({ agent }: JsonFields): string | undefined =>
  typeof agent === 'string' && /^[a-z0-9][a-z0-9._-]{0,63}$/.test(agent) ? agent : undefined

/**
 * Reads a hook document. Its own fields, and the environment of the hook, tell which agent wrote it; `named` is the
 * agent whose hooks it came through (`conduct hook NAME`), and decides where the fields do not. A document of an
 * unknown agent is read as far as it is like Claude Code's, under the name in its field `agent`, or as `unknown`.
 * Returns what it reports: mostly one thing, several for a batch, nothing if it says nothing about the work or is
 * nested too deeply. Throws nothing.
 */
export function readDocument(named: string, document: unknown, env: AgentEnv): Seen[] {
  if (isTooDeep(document)) return []
  const fields = fieldsOf(document)
  const own = ownName(fields)
  const dialect =
    dialects.find((one) => one.owns(fields, env)) ??
    (own === undefined ? dialects.find((one) => one.name === named && one.mayWrite(fields)) : undefined)
  if (!dialect) return readLikeClaude(own ?? 'unknown', otherEvents, fields)
  if (dialect.onlyByOwnHooks && dialect.name !== named) return []
  const { tellsWaits, tellsEnds } = dialect
  return dialect.read(fields, env).map((seen) => defined({ ...seen, tellsWaits, tellsEnds }))
}

/**
 * What `conduct hook NAME` prints: nothing, because some agents add it to the prompt, or what the agent accepts as
 * having no opinion.
 */
export const answerOf = (named: string): string => (named === 'cursor' ? '{}' : '')
