import type { Agent } from './agents/agent.ts'
import { claude } from './agents/claude.ts'
import { codex } from './agents/codex.ts'
import { cursor } from './agents/cursor.ts'

/** The agents whose sessions record themselves. */
export const agents: readonly Agent[] = [claude, codex, cursor]
