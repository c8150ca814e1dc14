import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { observe } from '../../src/capture/hook/observe.ts'
import { socketOf } from '../../src/capture/hook/resident.ts'
import { stateFile } from '../../src/capture/spool/state-file.ts'
import { conductHere, type ProgramEnv } from './program.ts'
import { gitIn, localUser, type User, writeFiles } from './user.ts'

/** A secret that must not leave the machine. It is put together here so that no scanner reports this file as a leak. */
export const secret = `ghp_${'k7Qw2ZrT9xBn4LsVd8Mf'.repeat(2).slice(0, 36)}`

export type Document = Record<string, unknown>

/** How long git may take in a hook of a test that is not about slow git, in milliseconds. */
const patientMs = 20_000

/** Gives one document to the hook, in this process. Nothing is sent until the test asks for it. */
export async function hook(name: string, document: Document | string, env: ProgramEnv, withinMs = patientMs) {
  const text = typeof document === 'string' ? document : JSON.stringify(document)
  const input = Readable.from([Buffer.from(text)], { objectMode: false })
  const printed = await observe(name, input, env, { wake: () => {}, withinMs })
  if (printed !== (name === 'cursor' ? '{}' : '')) throw new Error(`the hook printed ${printed}`)
}

/** A session of Claude Code in a folder, by its hooks. */
export function claudeIn(cwd: string, env: ProgramEnv, session: string = randomUUID(), withinMs = patientMs) {
  let ids = 0
  const transcript = join(env.HOME ?? '', `.claude/projects/demo/${session}.jsonl`)
  const tell = (hook_event_name: string, more: Document = {}) =>
    hook(
      'claude',
      { session_id: session, transcript_path: transcript, cwd, prompt_id: `p${ids}`, hook_event_name, ...more },
      env,
      withinMs,
    )
  const use = async (tool_name: string, tool_input: Document, work: () => unknown, more: Document = {}) => {
    const tool_use_id = `toolu_${session}_${++ids}`
    await tell('PreToolUse', { tool_name, tool_input, tool_use_id })
    await work()
    const hook_event_name = more.error === undefined ? 'PostToolUse' : 'PostToolUseFailure'
    await tell(hook_event_name, { tool_name, tool_input, tool_use_id, tool_response: {}, duration_ms: 5, ...more })
  }
  return {
    session,
    transcript,
    tell,
    prompt: (prompt: string) => tell('UserPromptSubmit', { prompt, prompt_id: `p${++ids}` }),
    /** Runs a command line in a shell, as the agent does. */
    run: (command: string, more: Document = {}) => {
      let error: string | undefined
      const work = () => {
        try {
          execFileSync('sh', ['-c', command], { cwd, stdio: 'pipe', env: { ...process.env, ...gitPerson } })
        } catch (failed) {
          error = `Exit code ${(failed as { status: number }).status}`
        }
        Object.assign(more, error !== undefined && { error })
      }
      return use('Bash', { command }, work, more)
    },
    write: (path: string, text: string) =>
      use('Write', { file_path: join(cwd, path) }, () => writeFiles(cwd, { [path]: text })),
    use,
    stop: (answer = 'Done.') => tell('Stop', { last_assistant_message: answer }),
    end: (reason = 'other') => tell('SessionEnd', { reason }),
    /** Writes these lines as the agent's own transcript. */
    transcribe(...lines: unknown[]) {
      writeFiles(dirname(transcript), {
        [basename(transcript)]: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
      })
    },
  }
}

const gitPerson = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' }

/** All runs of the project, with their contents. */
export async function runsOf({ ledger }: Pick<User, 'ledger'>) {
  const client = await ledger()
  const { runs } = await client.listRuns({ order: 'asc' })
  return Promise.all(runs.map(async ({ runId }) => (await client.getRun({ runId })).run))
}

export async function onlyRun(user: Pick<User, 'ledger'>) {
  const [run, ...others] = await runsOf(user)
  if (!run || others.length > 0) throw new Error(`${run ? 1 + others.length : 0} runs`)
  return run
}

/** The turns of the only run. */
export async function turnsOf(user: Pick<User, 'ledger'>) {
  const { runId } = await onlyRun(user)
  return (await (await user.ledger()).listTurns({ runId })).turns
}

/** Sends everything that waits, including what a `conduct sync` in the background has claimed. */
export async function syncAll(env: ProgramEnv) {
  for (let tries = 1; ; tries++) {
    const { code, stdout, stderr } = await conductHere(['sync'], env)
    if (code === 0) return
    if (tries === 200) throw new Error(`${stdout}${stderr}`)
    await sleep(100)
  }
}

/** Lets that many milliseconds pass for the recordings in the state. */
export function letPass(env: ProgramEnv, ms: number) {
  const db = new DatabaseSync(stateFile(env))
  db.exec(`update recordings set beaten = beaten - ${ms}, beat_due = beat_due - ${ms}, last_heard = last_heard - ${ms}`)
  db.close()
}

/** A user with a repository of one file, which is set up as the project `shop`. */
export function workplace(t: TestContext, more: ProgramEnv = {}) {
  let home = ''
  // Runs before the folder is removed.
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

/** Waits for the processes that hooks started, because they need their folder until they end. */
export function untilNobodyRuns(home: string) {
  // Without its socket, a recorder ends.
  rmSync(socketOf({ HOME: home }), { force: true })
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

/** The session of the recorded documents of Claude Code, and its transcript. */
const recordedSession = '3f2504e0-4f89-41d3-9a0c-0305e82c3301'
const recordedTranscript = `projects/demo/${recordedSession}`

/** The transcript that the documents name, in the agent's format. Returns its path. */
export function writeTranscript(folder: string, agent: string): string {
  const base = agent === 'claude' ? recordedTranscript : 'transcript'
  mkdirSync(join(folder, base, 'subagents'), { recursive: true })
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
    write(`${base}.jsonl`, [
      { type: 'user', version: '2.1.332', message: { content: `the "usage" of ${secret}` } },
      message('msg_1', 10, 1),
      message('msg_1', 10, 20),
      message('msg_2', 30, 40),
      message('msg_3', 0, 0, '<synthetic>'),
    ])
    write(`${base}/subagents/agent-1.jsonl`, [message('msg_4', 5, 6, 'claude-haiku-4-5')])
  }
  if (agent === 'codex') {
    const count = (input_tokens: number, output_tokens: number) => ({
      type: 'event_msg',
      payload: { type: 'token_count', info: { total_token_usage: { input_tokens, output_tokens } } },
    })
    write(`${base}.jsonl`, [
      { type: 'session_meta', payload: { cli_version: '0.171.0' } },
      count(100, 10),
      count(300, 40),
      count(50, 5),
    ])
  }
  return join(folder, `${base}.jsonl`)
}
