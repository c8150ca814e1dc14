import type { Agent } from './agent.ts'
import { claude } from './claude.ts'
import { codex } from './codex.ts'
import { cursor } from './cursor.ts'

/** The agents whose sessions record themselves. */
export const agents: readonly Agent[] = [claude, codex, cursor]
