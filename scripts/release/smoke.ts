import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Env, run } from './run.ts'

interface Installation {
  /** The folders with `conduct` and `node`. */
  path: string[]
  /** The server to record on, by default the database of the home folder, and a server of the installation. */
  server?: { url: string; key: string }
}

/**
 * Uses an installed Conduct as somebody new would, in an empty home: init, a session, the server, its page, MCP, doctor,
 * remove. Throws at the first thing that is not as it should be.
 */
export async function smoke({ path, server }: Installation): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'conduct-smoke-'))
  const project = join(home, 'shop')
  mkdirSync(project)
  const env: Env = {
    ...{ PATH: [...path, '/usr/bin', '/bin'].join(delimiter), HOME: home, LC_ALL: 'C.UTF-8' },
    ...{ GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.com' },
    ...{ GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'ada@example.com' },
    ...(server && { CONDUCT_URL: server.url, CONDUCT_API_KEY: server.key }),
  }
  const call = (program: string, ...words: string[]) => run(project, env, program, ...words)
  try {
    await call('git', 'init', '-q')
    await call('git', 'commit', '-q', '--allow-empty', '-m', 'First')
    await call('conduct', 'init', '--yes', '--project', 'shop', '--agents', 'claude')
    await session(project, env)
    await untilRecorded(project, env)
    if (server === undefined) await serves(project, env)
    else await answers(server.url)
    await speaksMcp(project, env)
    await call('conduct', 'doctor')
    await call('conduct', 'init', '--remove', '--yes')
    assert.equal(await call('git', 'status', '--porcelain'), '', 'init --remove left files behind')
  } finally {
    await forgetRecorder(home)
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Gives the documents of a session to the hook that init wrote, as Claude Code does: by a shell. */
async function session(project: string, env: Env) {
  const { hooks } = JSON.parse(readFileSync(join(project, '.claude/settings.json'), 'utf8'))
  const about = { session_id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', transcript_path: '/nowhere', cwd: project }
  const documents = [
    { hook_event_name: 'SessionStart', source: 'startup' },
    { hook_event_name: 'UserPromptSubmit', prompt: 'Add a cart' },
    { hook_event_name: 'Stop', last_assistant_message: 'Added.' },
    { hook_event_name: 'SessionEnd', reason: 'other' },
  ]
  for (const document of documents) {
    const line: string = hooks[document.hook_event_name][0].hooks[0].command
    const child = spawn('sh', ['-c', line], { cwd: project, env, stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin.end(JSON.stringify({ ...about, ...document }))
    const [code] = await once(child, 'exit')
    assert.equal(code, 0, `the hook of ${document.hook_event_name} exits with ${code}`)
  }
}

async function untilRecorded(project: string, env: Env) {
  let listed = ''
  for (let tries = 0; tries < 60; tries++) {
    listed = await run(project, env, 'conduct', 'run', 'list')
    if (/^RUN-001 +completed .*Add a cart/m.test(listed)) return
    await sleep(500)
  }
  assert.fail(`the session is not in the ledger:\n${listed}`)
}

async function serves(project: string, env: Env) {
  const child = spawn('conduct', ['serve', '--port', '0'], { cwd: project, env, stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [said] = await once(child.stdout, 'data')
    await answers(/http:\S+/.exec(String(said))?.[0] ?? assert.fail(`the server says ${said}`))
  } finally {
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    assert.equal(code, 0, 'the server did not end well')
  }
}

/** The page and a file of it, and the probe. */
async function answers(url: string) {
  const page = await (await fetch(`${url}/`)).text()
  const [, script = ''] = /<script[^>]* src="([^"]+)"/.exec(page) ?? []
  for (const address of [new URL(script, `${url}/`), new URL('/readyz', url)]) {
    assert.equal((await fetch(address)).status, 200, String(address))
  }
}

async function speaksMcp(project: string, env: Env) {
  const child = spawn('conduct', ['mcp'], { cwd: project, env, stdio: ['pipe', 'pipe', 'inherit'] })
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'smoke', version: '1' } }
  const messages = [
    { jsonrpc: '2.0', id: 1, method: 'initialize', params },
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 2, method: 'tools/list' },
  ]
  for (const message of messages) child.stdin.write(`${JSON.stringify(message)}\n`)
  let said = ''
  for await (const piece of child.stdout.setEncoding('utf8')) {
    said += piece
    if (/"id":2\b.*\n/.test(said)) break
  }
  child.stdin.end()
  const answer = said.split('\n').find((line) => /"id":2\b/.test(line)) ?? assert.fail('no answer to tools/list')
  assert.equal(JSON.parse(answer).result.tools.length, 7)
}

/** Without its socket, the resident recorder of that home ends within a second. */
async function forgetRecorder(home: string) {
  const socket = join(home, '.local/state/conduct/recorder.sock')
  if (!existsSync(socket)) return
  rmSync(socket)
  await sleep(2_000)
}

// `node scripts/release/smoke.ts`: uses the `conduct` on the PATH.
if (import.meta.main) await smoke({ path: (process.env.PATH ?? '').split(delimiter) })
