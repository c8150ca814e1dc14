import type { TestContext } from 'node:test'
import { type IPty, spawn } from '@lydell/node-pty'
import { main } from '../support/program.ts'
import type { ProgramEnv } from './program.ts'

/** Runs `conduct …` on a terminal of that many columns. */
export function onTerminal(t: TestContext, words: string[], env: ProgramEnv & { HOME: string }, cols = 80) {
  const terminal = spawn(process.execPath, [main, ...words], { cols, rows: 24, cwd: env.HOME, env, name: 'xterm' })
  let text = ''
  const waiting: (() => void)[] = []
  terminal.onData((data) => {
    text += data
    for (const look of waiting) look()
  })
  const ended = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)))
  t.after(() => kill(terminal))
  const shows = (wanted: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => wanted.test(text) && resolve()
      waiting.push(look)
      look()
      void ended.then((code) => reject(new Error(`it ended with ${code} before ${wanted} was shown: ${text}`)))
    })
  return { terminal, ended, shows, text: () => text }
}

function kill(terminal: IPty) {
  try {
    terminal.kill('SIGKILL')
  } catch {
    // It has exited.
  }
}
