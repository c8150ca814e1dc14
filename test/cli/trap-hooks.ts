// Runs the hooks of a session in each of the folders on standard input, one after the other, and prints what it took.
import { randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { gitMs } from '../../src/capture/hook/observe.ts'
import { claudeIn } from './session.ts'

const { env, folders } = JSON.parse(await text(process.stdin)) as { env: Record<string, string>; folders: string[] }
const taken: { ms: number; kib: number }[] = []
for (const cwd of folders) {
  const { prompt, tell, stop } = claudeIn(cwd, env, randomUUID(), gitMs)
  const use = { tool_name: 'Bash', tool_input: { command: 'npm test' }, tool_use_id: 'toolu_1' }
  let ms = 0
  const timed = async (hook: Promise<void>) => {
    const began = performance.now()
    await hook
    ms = Math.max(ms, performance.now() - began)
  }
  await timed(prompt('Try it'))
  await timed(tell('PreToolUse', use))
  await timed(tell('PostToolUse', { ...use, tool_response: {} }))
  await timed(stop())
  taken.push({ ms, kib: process.resourceUsage().maxRSS })
}
process.stdout.write(JSON.stringify(taken))
