import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { conductHere, type ProgramEnv } from './program.ts'
import { gitIn, localUser, writeFiles } from './user.ts'

/** A secret that must not leave the machine, put together so that no scanner takes this file for a leak. */
export const secret = `ghp_${'k7Qw2ZrT9xBn4LsVd8Mf'.repeat(2).slice(0, 36)}`

export type Document = Record<string, unknown>

/** Sends all that waits, also what a `conduct sync` in the background is just sending. */
export async function syncAll(env: ProgramEnv) {
  for (let tries = 1; ; tries++) {
    const { code, stdout, stderr } = await conductHere(['sync'], env)
    if (code === 0) return
    if (tries === 200) throw new Error(`${stdout}${stderr}`)
    await sleep(100)
  }
}

/** A user with a repository of one file, which is entered into the ledger as the project `shop`. */
export function workplace(t: TestContext, more: ProgramEnv = {}) {
  let home = ''
  // Before the folder goes.
  t.after(() => untilNobodyRuns(home))
  const user = localUser(t, more)
  home = user.env.HOME
  const { cwd } = user
  writeFiles(cwd, { 'src/login.ts': 'answer(500)\n', 'conduct.json': '{ "project": "shop" }\n' })
  const git = gitIn(cwd)
  git('init', '-q', '-b', 'main')
  git('add', '-A')
  git('commit', '-q', '-m', 'first')
  return { ...user, folder: home, git }
}

/** Waits for the processes that hooks left behind: their folder must stand until they end. */
export function untilNobodyRuns(home: string) {
  const began = performance.now()
  while (execFileSync('ps', ['axeww', '-o', 'command='], { encoding: 'utf8' }).includes(`HOME=${home} `)) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
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
