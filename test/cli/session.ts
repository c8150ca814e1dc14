import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freshFolder, homeOf } from './folder.ts'

export const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** A secret that must not leave the machine, put together so that no scanner takes this file for a leak. */
export const secret = `ghp_${'k7Qw2ZrT9xBn4LsVd8Mf'.repeat(2).slice(0, 36)}`

type Env = Record<string, string | undefined>
export type Document = Record<string, unknown>

/** Runs `conduct <words>` as a process of its own, with `input` on its standard input. */
export async function conduct(words: string[], env: Env, input = '', cwd = '/') {
  const began = performance.now()
  const child = spawn(process.execPath, [main, ...words], { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] })
  // One that does not read its input is no failure of this test.
  child.stdin.on('error', () => {}).end(input)
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code: code as number | null, stdout, stderr, ms: performance.now() - began }
}

/** Sends all that waits, also what a `conduct sync` in the background is just sending. */
export async function syncAll(env: Env) {
  for (let tries = 1; ; tries++) {
    const { code, stdout, stderr } = await conduct(['sync'], env)
    if (code === 0) return
    if (tries === 50) throw new Error(`${stdout}${stderr}`)
  }
}

/** A user's home, and in it a repository with one file, which is entered into the ledger as the project `shop`. */
export function workplace(t: TestContext, more: Env = {}) {
  t.after(() => untilNobodyRuns(env.HOME))
  const folder = freshFolder(t)
  const database = `sqlite:${join(folder, 'conduct.db')}`
  const env: Env & { HOME: string } = { ...homeOf(folder), CONDUCT_DATABASE_URL: database, ...more }
  const cwd = join(folder, 'shop')
  mkdirSync(join(cwd, 'src'), { recursive: true })
  writeFileSync(join(cwd, 'src/login.ts'), 'answer(500)\n')
  writeFileSync(join(cwd, 'conduct.json'), '{ "project": "shop" }\n')
  const git = (...words: string[]) => execFileSync('git', words, { cwd, stdio: 'pipe', encoding: 'utf8' })
  git('init', '-q', '-b', 'main')
  git('add', '-A')
  git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '-m', 'first')
  return { env, folder, cwd, git }
}

/** Waits for the processes that hooks left behind: their folder must stand until they end. */
function untilNobodyRuns(home: string) {
  const began = performance.now()
  while (execFileSync('ps', ['axeww', '-o', 'command='], { encoding: 'utf8' }).includes(`HOME=${home} `)) {
    if (performance.now() - began > 20_000) throw new Error(`a process with HOME=${home} does not end`)
  }
}

/** The documents of a recorded session, for this folder. */
export function documentsOf(agent: string, { folder, cwd }: { folder: string; cwd: string }): Document[] {
  const lines = readFileSync(new URL(`hooks/${agent}.jsonl`, import.meta.url), 'utf8').trim()
  const filled = lines.replaceAll('{folder}', folder).replaceAll('{cwd}', cwd).replaceAll('{secret}', secret)
  return filled.split('\n').map((line) => JSON.parse(line) as Document)
}

/** The transcript that the documents name, in the agent's form. */
export function writeTranscript(folder: string, agent: string) {
  mkdirSync(join(folder, 'transcript/subagents'), { recursive: true })
  const write = (path: string, lines: unknown[]) =>
    writeFileSync(join(folder, path), lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  if (agent === 'claude') {
    const message = (id: string, input: number, output: number, model = 'claude-sonnet-4-5') => ({
      type: 'assistant',
      message: {
        id,
        model,
        usage: {
          input_tokens: input,
          cache_read_input_tokens: 100,
          cache_creation_input_tokens: 0,
          output_tokens: output,
        },
      },
    })
    write('transcript.jsonl', [
      { type: 'user', message: { content: `the "usage" of ${secret}` } },
      message('msg_1', 10, 1),
      message('msg_1', 10, 20),
      message('msg_2', 30, 40),
      message('msg_3', 0, 0, '<synthetic>'),
    ])
    write('transcript/subagents/agent-1.jsonl', [message('msg_4', 5, 6, 'claude-haiku-4-5')])
  }
  if (agent === 'codex') {
    const count = (input_tokens: number, output_tokens: number) => ({
      type: 'event_msg',
      payload: { type: 'token_count', info: { total_token_usage: { input_tokens, output_tokens } } },
    })
    write('transcript.jsonl', [{ type: 'session_meta', payload: {} }, count(100, 10), count(300, 40), count(50, 5)])
  }
}
