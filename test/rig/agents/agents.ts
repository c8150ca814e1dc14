import type { RealAgent } from './agent.ts'
import { claude } from './claude.ts'
import { codex } from './codex.ts'
import { copilot } from './copilot.ts'
import { droid } from './droid.ts'
import { gemini } from './gemini.ts'
import { opencode } from './opencode.ts'
import { qwen } from './qwen.ts'

export const realAgents: readonly RealAgent[] = [claude, codex, opencode, gemini, qwen, copilot, droid]
