import type { ChildProcess } from 'node:child_process'
import { setTimeout as after } from 'node:timers/promises'
import type { RealAgent } from './agents/agent.ts'
import type { Played } from './model/play.ts'

// The user of an agent, who sends messages while it works.

/** Sends the prompt, and each further text when the script says so. The session ends when the script does. */
export function types(child: ChildProcess, agent: RealAgent, played: Played, prompt: string) {
  const input = child.stdin
  if (agent.typed) {
    const { typed } = agent
    input?.write(typed(prompt))
    played.events.on('typed', (text: string) => input?.write(typed(text)))
    played.events.on('finished', () => input?.end())
    return
  }
  // An agent that has ended asks no more.
  input?.on('error', () => {})
  child.stdout?.on('data', (piece: string) => input?.write(answersOf(String(piece))))
  // Codex takes keys that come at once for a text that was pasted.
  const press = async (...keys: string[]) => {
    for (const key of keys) {
      input?.write(key)
      await after(500)
    }
  }
  played.events.on('typed', (text: string) => press(text, '\r'))
  played.events.once('finished', () => after(5_000).then(() => press(ctrlC, ctrlC)))
}

const ctrlC = '\u0003'

/** What a terminal answers to the questions of a program: the place of the cursor, its kind, its colours. */
function answersOf(output: string): string {
  const answers = { '\u001b[6n': '\u001b[1;1R', '\u001b[c': '\u001b[?62c', '\u001b[?u': '\u001b[?0u' }
  return Object.entries(answers)
    .filter(([question]) => output.includes(question))
    .map(([, answer]) => answer)
    .join('')
}

/** The command that runs a program at a terminal of its own. */
export const atTerminal = (words: string[]) => [
  ...['script', '-qfec'],
  `stty rows 40 columns 120; exec ${words.map(quoted).join(' ')}`,
  '/dev/null',
]

export const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`
