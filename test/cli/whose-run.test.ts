import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { observe } from '../../src/capture/hook/observe.ts'
import { type Caller, type KnownSession, whoseRun, whoseWork } from '../../src/capture/hook/whose-run.ts'
import { agentProcessOf, type ProcessId } from '../../src/capture/spool/process.ts'
import { stateOf } from '../../src/capture/spool/state-file.ts'
import type { Place } from '../../src/place/place.ts'
import type { Seen } from '../../src/recorder/agents/seen.ts'
import { freshFolder, homeOf } from './folder.ts'

const processOf = (pid: number): ProcessId => ({ machine: 'here', pid, started: `${pid}` })

/**
 * A session, written as `ID @PROCESS`, with `was @PROCESS` for its process before it was resumed, and `ended` if it has
 * ended. The process may be missing.
 */
function sessionOf(words: string): KnownSession {
  const [, session = '', pid, former, ended] =
    /^(\w+)(?: @(\d+))?(?: was @(\d+))?( ended)?$/.exec(words) ?? assert.fail(words)
  return {
    session,
    runId: `RUN-${session}`,
    agentProcess: pid === undefined ? null : processOf(Number(pid)),
    processes: [pid, former].filter((one) => one !== undefined).map((one) => processOf(Number(one))),
    isLive: ended === undefined,
  }
}

/**
 * What a caller gets, written as `claude=A codex=B run=C` for its environment, with `mcp meta=D thread=E` for an MCP
 * call, and the processes above it: `/ 3 2 1`.
 */
function callerOf(words: string): Caller {
  const [given = '', above = ''] = words.split('/')
  const by = Object.fromEntries(
    given
      .trim()
      .split(' ')
      .map((word) => word.split('=')),
  )
  return {
    env: { CLAUDE_CODE_SESSION_ID: by.claude, CODEX_SESSION_ID: by.codex, CONDUCT_RUN_ID: by.run },
    meta: given.includes('mcp') ? { sessionId: by.meta, threadId: by.thread } : undefined,
    starter: processOf(Number(above.trim().split(' ')[0])),
    ancestors: above.trim().split(' ').filter(Boolean).map(Number).map(processOf),
  }
}

/** The id of a run, the id of a session, `own` for neither, or `own of A, B` with candidates. */
function shown(caller: string, sessions: string[]): string {
  const whose = whoseWork(callerOf(caller), sessions.map(sessionOf))
  if (whose.kind === 'run') return whose.runId
  if (whose.kind === 'session') return whose.session.session
  return whose.candidates.length > 0 ? `own of ${whose.candidates.map(({ session }) => session).join(', ')}` : 'own'
}

const table: [what: string, caller: string, sessions: string[], whose: string][] = [
  ['nothing is recorded', '/ 3 2 1', [], 'own'],
  ['a session in another process', '/ 3 2 1', ['A @9'], 'own'],
  ['the session in a process above', '/ 3 2 1', ['A @2', 'B @9'], 'A'],
  ['the nearest of two sessions above: one agent inside another', '/ 3 2 1', ['A @1', 'B @2'], 'B'],
  ['the nearest session has ended, and the outer one does not count', '/ 3 2 1', ['A @1', 'B @2 ended'], 'own'],
  ['the previous session in the same process has ended', '/ 2 1', ['A @2 ended', 'B @2'], 'B'],
  ['a process that the previous session may have started', '/ 3 2 1', ['A @2 ended', 'B @2'], 'own of B'],
  ['a process that a session started before it was resumed elsewhere', '/ 3 2 1', ['A @9 was @2', 'B @2'], 'own of B'],
  ['the same, inside another agent', '/ 3 2 1', ['A @9 was @2', 'B @1'], 'own'],
  ['an editor with two sessions in one process', '/ 3 2 1', ['A @2', 'B @2'], 'own of A, B'],
  ['a session whose process is unknown', '/ 3 2 1', ['A'], 'own'],

  ['the session that Claude Code names', 'claude=A / 3 2 1', ['A @2', 'B @1'], 'A'],
  ['the session that Codex names', 'codex=A / 3 2 1', ['A', 'B @9'], 'A'],
  ['the name of an unrecorded session rules out the others', 'claude=X / 3 2 1', ['A @2'], 'own of A'],
  ['an editor with two sessions, and the name of one', 'claude=B / 3 2 1', ['A @2', 'B @2'], 'B'],
  ['a session that has ended', 'claude=A / 3 2 1', ['A @2 ended'], 'own'],
  ['an MCP server, after its agent has begun another session', 'mcp claude=A / 2 1', ['A @2 ended', 'B @2'], 'B'],
  ['the MCP server of an unrecorded agent inside it', 'mcp claude=A / 3 2 1', ['A @2 ended', 'B @2'], 'own of B'],
  [
    'an MCP server, after its agent has begun two more sessions',
    'mcp claude=A / 2 1',
    ['A @2 ended', 'B @2', 'C @2'],
    'own of B, C',
  ],
  [
    'a command of an ended session does not belong to the next one',
    'claude=A / 3 2 1',
    ['A @2 ended', 'B @2'],
    'own of B',
  ],
  ['a process that an ended session left behind', 'mcp claude=A / 1', ['A @2 ended', 'B @2'], 'own'],
  ['an ended session inside another one', 'mcp claude=B / 3 2 1', ['A @1', 'B @2 ended'], 'own'],
  ['an agent that sets no name inside one that does', 'claude=A / 3 2 1', ['A @1', 'B @2'], 'B'],
  ['an agent that sets no name, in a terminal that a session left', 'claude=A / 3 2 1', ['A @9 ended', 'B @2'], 'B'],
  [
    'a named live session in another process, and another agent above',
    'claude=A / 3 2 1',
    ['A @9', 'B @2'],
    'own of B',
  ],

  ['Codex inside Claude Code', 'claude=A codex=B / 3 2 1', ['A @1', 'B @2'], 'B'],
  ['Claude Code inside Codex', 'claude=A codex=B / 3 2 1', ['A @2', 'B @1'], 'A'],
  ['an agent that sets no name inside both', 'claude=A codex=B / 3 2 1', ['A @2', 'B @1', 'C @3'], 'C'],
  ['the inner session is not recorded', 'claude=A codex=X / 3 2 1', ['A @1'], 'own of A'],
  ['the inner session has ended', 'claude=A codex=B / 3 2 1', ['A @1', 'B @2 ended'], 'own'],
  ['two names, and neither process above', 'claude=A codex=B / 3 2 1', ['A @8', 'B @9'], 'own'],
  ['another agent in a terminal that a session left', 'claude=A codex=B / 3 2 1', ['A @9 ended', 'B @2'], 'B'],

  ['the session that an MCP call names', 'mcp meta=B / 3 2 1', ['A @2', 'B @2'], 'B'],
  ['the thread that an MCP call names', 'mcp thread=B / 3 2 1', ['A @2', 'B @2'], 'B'],
  ['a call takes precedence over the environment', 'claude=A mcp meta=B / 3 2 1', ['A @1', 'B @2'], 'B'],
  ['a call of a session that seemed to have ended', 'mcp meta=A / 3 2 1', ['A @2 ended', 'B @2'], 'A'],
  ['a call of an unrecorded session', 'claude=A mcp meta=X / 3 2 1', ['A @1'], 'own'],

  ['a named run', 'run=RUN-7 claude=A / 3 2 1', ['A @2'], 'RUN-7'],
  ['the run of a session, named to a command of the session', 'run=RUN-A / 3 2 1', ['A @2', 'B @1'], 'RUN-A'],
  ['the run of an outer session, named to its inner agent', 'run=RUN-A / 3 2 1', ['A @1', 'B @2'], 'B'],
  ['the same with the names of both', 'run=RUN-A claude=A codex=B / 3 2 1', ['A @1', 'B @2'], 'B'],
  ['the same after the inner session has ended', 'run=RUN-A / 3 2 1', ['A @1', 'B @2 ended'], 'own'],
  ['the run of a session that is not above', 'run=RUN-A / 3 2 1', ['A @9', 'B @2'], 'RUN-A'],
  ['the run of one of two sessions in an editor', 'run=RUN-A / 3 2 1', ['A @2', 'B @2'], 'RUN-A'],
]

for (const [what, caller, sessions, whose] of table) {
  test(`whose work: ${what}`, () => assert.equal(shown(caller, sessions), whose))
}

function home(t: TestContext) {
  const env = homeOf(freshFolder(t))
  const state = stateOf(env)
  t.after(() => state.close())
  return { env, state }
}

const here: Place = { kind: 'local', databaseUrl: 'sqlite:/conduct.db', project: 'shop' }
const step = (kind: 'prompt' | 'end'): Seen => ({
  agent: 'claude-code',
  session: 'A',
  cwd: '/shop',
  step: kind === 'prompt' ? { kind, text: 'x' } : { kind },
})

test('a recorded session is found by its id and its process, and is live again after its next hook', (t) => {
  const { state } = home(t)
  const agentProcess = processOf(2)
  const recording = { name: 'claude-A', kind: 'hook', place: here, cwd: '/shop', session: 'A' } as const
  state.note({ ...recording, agentProcess }, step('prompt'), 'first', true)
  const sessions = (ids: string[], ...pids: number[]) => state.sessions({ ids, processes: pids.map(processOf) })
  assert.deepEqual(sessions(['X'], 3), [])
  for (const [found] of [sessions(['A']), sessions([], 3, 2)]) {
    assert.deepEqual([found?.name, found?.agentProcess, found?.isLive], ['claude-A', agentProcess, true])
  }
  const settle = (ended: boolean) => {
    const ids = state.notes('claude-A').map(({ id }) => id)
    assert.ok(state.settle('claude-A', ids, [], { memo: {}, ended }))
  }
  settle(true)
  assert.equal(sessions(['A'])[0]?.isLive, false)
  state.note({ ...recording, agentProcess: processOf(5) }, step('prompt'), 'second', true)
  const [resumed] = sessions([], 5)
  assert.deepEqual([resumed?.isLive, resumed?.ended], [true, true], 'its end is still to be taken back')
  state.note(recording, step('end'), 'third', true)
  assert.deepEqual(sessions(['A'])[0]?.agentProcess, processOf(5), 'whoever does not know the process keeps it')
  const processes = sessions([], 2).map((session) => session.processes)
  assert.deepEqual(processes, [[processOf(2), processOf(5)]], 'what it started there is still its own')
})

test("a session of another project is not the caller's", (t) => {
  const { state } = home(t)
  const caller = { env: { CLAUDE_CODE_SESSION_ID: 'A' }, ancestors: [] }
  state.record({ name: 'claude-A', kind: 'hook', place: here, cwd: '/shop', session: 'A' })
  assert.equal(whoseRun(state, here, caller).kind, 'session')
  assert.deepEqual(whoseRun(state, { ...here, project: 'blog' }, caller), { kind: 'own', candidates: [] })
})

test('a hook stores the session and the process of its agent', async (t) => {
  const { env, state } = home(t)
  writeFileSync(`${env.HOME}/conduct.json`, '{ "project": "shop" }')
  const prompt = { session_id: 'A', cwd: env.HOME, hook_event_name: 'UserPromptSubmit', prompt: 'Fix it' }
  const document = Buffer.from(JSON.stringify(prompt))
  await observe('claude', Readable.from([document], { objectMode: false }), env, { wake: () => {} })
  const [found] = state.sessions({ ids: ['A'], processes: [] })
  assert.deepEqual([found?.session, found?.agentProcess], ['A', agentProcessOf()])
})
