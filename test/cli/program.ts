import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { main } from '../support/program.ts'

export type ProgramEnv = Record<string, string | undefined>

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

/** Starts `conduct …` in a process and session of its own, so it has no terminal wherever the tests run. */
export function start(words: string[], env: ProgramEnv, cwd = env.HOME, input?: string) {
  const child = spawn(process.execPath, [main, ...words], {
    env: { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...env },
    cwd,
    detached: true,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  // A command that does not read its input must not fail the test.
  child.stdin?.on('error', () => {}).end(input)
  const text = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (piece) => {
      text[stream] += piece
    })
  }
  const ran: Promise<Ran> = once(child, 'close').then(([code]) => ({ code: code as number | null, ...text }))
  return { child, ran }
}

/** Runs the same to its end. */
export const conduct = (words: string[], env: ProgramEnv, cwd?: string, input?: string) =>
  start(words, env, cwd, input).ran

/** What the test asks a host to run. */
export interface Asked {
  words: string[]
  env: ProgramEnv
  cwd: string
  input: string
}

let host: ChildProcess | undefined
let last: Promise<unknown> = Promise.resolve()

/** Runs `conduct …` in a process that has loaded the program already, for tests that need no process of their own. */
export function conductHere(words: string[], env: ProgramEnv, cwd = env.HOME, input = ''): Promise<Ran> {
  const ran = last.then(() => ask({ words, env, cwd: cwd ?? '/', input }))
  last = ran.catch(() => {})
  return ran
}

async function ask(asked: Asked): Promise<Ran> {
  host ??= fork(fileURLToPath(new URL('host.ts', import.meta.url)), { execArgv: [], stdio: 'ignore' })
  // The host keeps this process alive only while a request waits.
  host.ref()
  host.channel?.ref()
  const answer = once(host, 'message')
  host.send(asked)
  const [ran] = await answer
  host.unref()
  host.channel?.unref()
  return ran as Ran
}

/** The program of one user. `run` and `json` require success; `all` returns the exit code and both outputs. */
export function programOf(env: ProgramEnv, cwd?: string) {
  const all = (words: string, input?: string) => conductHere(split(words), env, cwd, input)
  const run = async (words: string, input?: string) => {
    const { code, stdout, stderr } = await all(words, input)
    if (code !== 0) throw new Error(`conduct ${words} ended with ${code}: ${stdout}${stderr}`)
    return stdout
  }
  const json = async (words: string, input?: string) => JSON.parse(await run(`${words} --json`, input))
  return { all, run, json }
}

/** Splits words as a shell does, but with single quotes only. */
const split = (words: string) => (words.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'(.*)'$/s, '$1'))
