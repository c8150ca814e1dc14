import { type ChildProcess, spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** Where compiled files are kept from one process to the next, which spares each a quarter of its time. */
const compiled = join(tmpdir(), 'conduct-test-compiled')

export type ProgramEnv = Record<string, string | undefined>

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface ProgramOptions {
  env: ProgramEnv
  cwd?: string
  /** What it reads from its standard input; else that is empty. */
  input?: string
}

/** `conduct …` as a process. */
export function start(words: string[], { env, cwd }: ProgramOptions): ChildProcess {
  return spawn(process.execPath, [main, ...words], {
    env: { ...env, NODE_COMPILE_CACHE: compiled },
    cwd: cwd ?? env.HOME,
    stdio: 'pipe',
  })
}

/** `conduct …`, run to its end. */
export async function conduct(words: string[], options: ProgramOptions): Promise<Ended> {
  const child = start(words, options)
  const { stdin, stdout, stderr } = child
  if (!stdin || !stdout || !stderr) throw new Error('no pipes')
  stdin.on('error', () => {})
  stdin.end(options.input ?? '')
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [out, err, code] = await Promise.all([text(stdout), text(stderr), ended])
  return { code, stdout: out, stderr: err }
}

/** The program of one user, which must succeed unless it is asked for all that it tells. */
export function programOf(env: ProgramEnv, cwd?: string) {
  const all = (words: string, input?: string) => conduct(split(words), { env, cwd, input })
  const run = async (words: string, input?: string) => {
    const { code, stdout, stderr } = await all(words, input)
    if (code !== 0) throw new Error(`conduct ${words} ended with ${code}: ${stdout}${stderr}`)
    return stdout
  }
  const json = async (words: string, input?: string) => JSON.parse(await run(`${words} --json`, input))
  return { all, run, json }
}

/** Words as a shell splits them, with single quotes alone. */
const split = (words: string) => (words.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'(.*)'$/s, '$1'))
