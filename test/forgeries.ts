import assert from 'node:assert/strict'
import type { Client } from '../src/client/client.ts'
import { createApp } from '../src/server/app.ts'
import { base, type Ledger } from './support/engines.ts'

const commit = '1'.repeat(40)
export const [a, b] = ['a', 'b'].map((digit) => digit.repeat(40)) as [string, string]

const required = ['tests']
export const git = { commit, tree: a, commitTree: a, dirty: false, uncommitted: { count: 0, paths: [] } }
export const edited = { ...git, tree: b, dirty: true, uncommitted: { count: 1, paths: ['x'] } }
export const pass = { name: 'tests', result: 'pass', command: 'npm test', exitCode: 0 } as const
const ada = 'Ada <ada@example.com>'

/** A run whose recorder has seen no command, and what its agent has. */
interface Scene {
  ledger: Ledger
  runId: string
  /** The token of its recorder. */
  leaseToken: string
  /** The key that created the run. */
  agent: Client
  /** Another key of the same person. */
  second: Client
  /** One whose mail address is written in capitals. */
  upper: Client
  /** A key of a service. */
  ci: Client
  /** Sends a request with the agent's key, and returns the status. */
  post(path: string, body: object, init?: { method?: string; headers?: Record<string, string> }): Promise<number>
  /** Does the same in a browser session of that key. */
  browser(path: string, body: object): Promise<number>
  /** Calls a tool over MCP with that key. */
  mcp(tool: string, input: object): Promise<void>
}

/** Calls that claim what nobody ran. They may return the run to judge, if it is another. */
type Forge = (scene: Scene) => Promise<unknown>

export const refused = (call: Promise<unknown>, code: string) => assert.rejects(call, { code })

/** What the keys of one person do by the API. */
export const attempts: Record<string, Forge> = {
  'a claim': ({ agent, runId }) => agent.createCheck({ runId, ...pass, tree: a, startTree: a, commit }),
  'a claim by another key of the person': ({ second, runId }) => second.createCheck({ runId, ...pass, tree: a }),
  'a claim by commit': async ({ second, agent, runId, leaseToken }) => {
    await agent.updateRun({ runId, changes: { files: 1 }, leaseToken })
    await second.createCheck({ commit, commitTree: a, ...pass })
  },
  'a claim with the token of the recorder, without a recorder': ({ agent, runId, leaseToken }) =>
    agent.createCheck({ runId, ...pass, leaseToken }),
  'a claim that is changed to one of a recorder': async ({ agent, runId }) => {
    const { check } = await agent.createCheck({ runId, ...pass })
    const patch = { checkId: check.checkId, recorder: 'hook' }
    await refused(agent.updateCheck(patch), 'VALIDATION_ERROR')
  },
  'a recorder without a token': ({ agent, runId }) =>
    refused(agent.createCheck({ runId, ...pass, recorder: 'hook' }), 'VALIDATION_ERROR'),
  'a recorder with the token of another run': async ({ agent, runId }) => {
    const { lease } = await agent.createRun({ leaseSeconds: 3600 })
    await refused(agent.createCheck({ runId, ...pass, recorder: 'hook', leaseToken: lease?.token }), 'FORBIDDEN')
  },
  'a recorder by commit': ({ agent, leaseToken }) =>
    refused(agent.createCheck({ commit, ...pass, recorder: 'exec', leaseToken }), 'VALIDATION_ERROR'),
  'a recorder with a lease that was taken later': async ({ agent, ledger, runId }) => {
    ledger.advance(7_200_000)
    const { lease } = await agent.updateRun({ runId, leaseSeconds: 60 })
    await refused(agent.createCheck({ runId, ...pass, recorder: 'hook', leaseToken: lease?.token }), 'FORBIDDEN')
  },
  'a recorder of a run that was created again': async ({ agent, ledger, runId, leaseToken }) => {
    await ledger.client.deleteRun({ runId, leaseToken })
    await agent.createRun({ runId, git, required })
    await refused(agent.createCheck({ runId, ...pass, recorder: 'hook', leaseToken }), 'FORBIDDEN')
    await agent.createCheck({ runId, ...pass })
  },
  'a claim dated back': ({ agent, runId }) =>
    refused(agent.createCheck({ runId, ...pass, createdAt: '2020-01-01T00:00:00Z' }), 'FORBIDDEN'),
  'required names that change': async ({ agent, runId, leaseToken }) => {
    const patch = { runId, required: ['lint'], leaseToken }
    await refused(agent.updateRun(patch), 'VALIDATION_ERROR')
    await agent.createCheck({ runId, ...pass, name: 'lint' })
  },
  'another author, then a claim of the person': async ({ agent, second, runId, leaseToken }) => {
    await agent.updateRun({ runId, author: 'Eve <eve@example.com>', leaseToken })
    await second.createCheck({ runId, ...pass, tree: a })
  },
  'a key that names its own person': async ({ second, ledger, runId }) => {
    const key = (await ledger.client.listKeys({})).keys.find(({ name }) => name === 'second')
    await refused(second.updateKey({ id: key?.id ?? 0, person: 'Eve <eve@example.com>' }), 'FORBIDDEN')
    await second.createCheck({ runId, ...pass })
  },
  'a retry under another key of the person': async ({ agent, second, runId, leaseToken }) => {
    await agent.updateRun({ runId, status: 'failed', leaseToken })
    const { run } = await second.createRun({ retryOf: runId, git, required })
    await agent.createCheck({ runId: run.runId, ...pass })
    return run.runId
  },
  'a claim in the name of a pipeline': ({ agent, runId }) =>
    agent.createCheck({ runId, ...pass, tree: a, pipeline: { id: '7', job: 'test', attempt: 1 } }),
  'a claim that a command left the tree of the work': ({ agent, runId }) =>
    agent.createCheck({ runId, ...pass, startTree: b, tree: a, commit, commitTree: a, dirty: false }),
  'a failed claim that is changed to a pass': async ({ agent, runId }) => {
    const { check } = await agent.createCheck({ runId, ...pass, result: 'fail', exitCode: 1 })
    await agent.updateCheck({ checkId: check.checkId, result: 'pass', exitCode: 0 })
  },
  'a claim in the name of another agent': ({ agent, runId }) => agent.createCheck({ runId, ...pass, agent: 'ci' }),
  'a claim that says how it is known': async ({ post, agent, runId }) => {
    for (const more of [{ evidence: 'independent' }, { counts: true }, { current: true }, { createdBy: 'ci' }]) {
      assert.equal(await post('/v1/checks', { runId, ...pass, ...more }), 422)
    }
    await agent.createCheck({ runId, ...pass })
  },
  'a verdict that is written to the run': async ({ post, runId, leaseToken }) => {
    for (const more of [{ verdict: 'verified' }, { evidence: 'independent' }, { why: 'Checked by ci' }]) {
      assert.equal(await post('/v1/runs', { title: 'x', ...more }), 422)
      assert.equal(await post(`/v1/runs/${runId}`, { ...more, leaseToken }, { method: 'PATCH' }), 422)
    }
  },
  'words in labels, links and content': async ({ agent, runId, leaseToken }) => {
    const links = [{ rel: 'check', href: 'https://ci.example.com/7' }]
    await agent.updateRun({ runId, labels: { verdict: 'verified', evidence: 'independent' }, links, leaseToken })
    await agent.appendToRun({ runId, text: "The author's recorder saw `npm test` pass.\n", leaseToken })
  },
  'a command with exit code 0 in a turn': async ({ agent, runId, leaseToken }) => {
    const commands = [{ command: 'npm test', exitCode: 0 }]
    await agent.appendTurn({ runId, prompt: 'Test it', answer: 'All pass.', commands, leaseToken })
  },
  'a command with exit code 0 of the run': ({ agent, runId, leaseToken }) =>
    agent.updateRun({ runId, command: 'npm test', exitCode: 0, leaseToken }),
  'a mail address in capitals': ({ upper, runId }) => upper.createCheck({ runId, ...pass, tree: a }),
  'a service that wrote to the run': async ({ ci, runId, leaseToken }) => {
    await ci.appendToRun({ runId, text: 'I was here.\n', leaseToken })
    await ci.createCheck({ runId, ...pass, tree: a })
  },
  'a service that took over the run': async ({ ci, ledger, runId }) => {
    ledger.advance(7_200_000)
    const { lease } = await ci.updateRun({ runId, leaseSeconds: 60 })
    await ci.updateRun({ runId, status: 'completed', leaseToken: lease?.token })
    await ci.createCheck({ runId, ...pass, tree: a })
  },
  'a key that the agent makes': async ({ agent, second, runId }) => {
    await refused(agent.createKey({ name: 'mine', permissions: ['agent'] }), 'FORBIDDEN')
    await second.createCheck({ runId, ...pass })
  },
  'a browser session of the same key': async (scene) => {
    const { browser, runId } = scene
    assert.equal(await browser('/v1/checks', { runId, ...pass, tree: a }), 201)
    assert.equal(await browser('/v1/checks', { runId, ...pass, tree: a, recorder: 'hook' }), 422)
  },
  'a claim with the Idempotency-Key of another key': async ({ post, ci, runId }) => {
    const headers = { 'idempotency-key': 'seven' }
    const other = await ci.createRun({ title: 'of ci' })
    await ci.createCheck({ runId: other.run.runId, ...pass }, { idempotencyKey: 'seven' })
    assert.equal(await post('/v1/checks', { runId, ...pass }, { headers }), 201)
    assert.equal(await post('/v1/checks', { runId, ...pass, name: 'tests' }, { headers }), 201)
  },
  'a check of the MCP server': async ({ mcp, runId }) => {
    await mcp('record_check', { runId, ...pass })
  },
  'documents of hooks that are posted to the server': async ({ post, ledger }) => {
    const use = { tool_name: 'Bash', tool_input: { command: 'npm test' }, tool_use_id: 't' }
    const session = { session_id: `forged-${Math.random()}`, cwd: '/work' }
    for (const [hook_event_name, more] of [
      ['UserPromptSubmit', { prompt: 'forged' }],
      ['PreToolUse', use],
      ['PostToolUse', { ...use, tool_response: { stdout: 'pass', exit_code: 0 } }],
      ['Stop', { last_assistant_message: 'All pass.' }],
    ] as const) {
      assert.equal(await post('/v1/hooks/claude', { ...session, hook_event_name, ...more }), 204)
    }
    const { runs } = await ledger.client.listRuns({ limit: 1 })
    return runs[0]?.runId
  },
  'a retry of a verified run': async ({ agent, runId, leaseToken }) => {
    await agent.createCheck({ runId, ...pass, recorder: 'hook', startTree: a, tree: a, leaseToken })
    await agent.updateRun({ runId, status: 'failed', leaseToken })
    const { run } = await agent.createRun({ retryOf: runId, git, required })
    return run.runId
  },
  'a retry with the token of the run before': async ({ agent, runId, leaseToken }) => {
    await agent.updateRun({ runId, status: 'failed', leaseToken })
    const { run } = await agent.createRun({ retryOf: runId, git, required, leaseSeconds: 60 })
    await refused(agent.createCheck({ runId: run.runId, ...pass, recorder: 'exec', leaseToken }), 'FORBIDDEN')
    await agent.createCheck({ runId: run.runId, ...pass })
    return run.runId
  },
  'a run that says it made the commit of another': async ({ agent, second, ci, runId, leaseToken }) => {
    const made = { ...git, commits: [commit] }
    await agent.updateRun({ runId, git: made, changes: { files: 1 }, leaseToken })
    const { run } = await second.createRun({ git: made, required, changes: { files: 1 } })
    const { checks } = await ci.createCheck({ commit, commitTree: a, ...pass })
    assert.ok(checks.every((check) => check.runId !== run.runId))
    return run.runId
  },
  'an import that no server takes': async ({ post, agent, runId }) => {
    assert.equal(await post('/v1/import', { checks: [{ runId, ...pass, recorder: 'hook' }] }), 404)
    await agent.createCheck({ runId, ...pass })
  },
}

interface Held {
  client: Client
  secret: string
}

const keys = new WeakMap<Ledger, Promise<Held[]>>()

/** The keys of the agent, of the same person twice more, and of a service. */
function keysOf(ledger: Ledger): Promise<Held[]> {
  const keyOf = async ([name, person]: [string, string | null]) => {
    const { secret } = await ledger.client.createKey({ name, permissions: ['agent', 'write'], person })
    return { client: ledger.as({ key: secret }), secret }
  }
  const holders: [string, string | null][] = [
    ['agent', ada],
    ['second', ada],
    ['upper', ada.toUpperCase()],
    ['ci', null],
  ]
  const made = keys.get(ledger) ?? Promise.all(holders.map(keyOf))
  keys.set(ledger, made)
  return made
}

export async function sceneIn(ledger: Ledger, title: string): Promise<Scene> {
  const [agent, second, upper, ci] = (await keysOf(ledger)) as [Held, Held, Held, Held]
  const { run, lease } = await agent.client.createRun({ title, git, required, leaseSeconds: 3600, author: ada })
  const clients = { agent: agent.client, second: second.client, upper: upper.client, ci: ci.client }
  return { ledger, runId: run.runId, leaseToken: lease?.token ?? '', ...clients, ...doorsOf(ledger, agent.secret) }
}

const json = { 'content-type': 'application/json' }

/** Ways to the server with the secret of a key. */
function doorsOf({ fetch, store }: Ledger, secret: string): Pick<Scene, 'post' | 'browser' | 'mcp'> {
  const authorization = `Bearer ${secret}`
  const app = createApp({ store, rateLimit: 0 })
  return {
    async post(path, body, { method = 'POST', headers } = {}) {
      const init = { method, headers: { ...json, authorization, ...headers }, body: JSON.stringify(body) }
      return (await fetch(path, init)).status
    },
    async browser(path, body) {
      const page = { ...json, origin: 'http://localhost', 'sec-fetch-site': 'same-origin' }
      const ask = (path: string, body: object, headers = {}) =>
        app.fetch(
          new Request(base + path, { method: 'POST', headers: { ...page, ...headers }, body: JSON.stringify(body) }),
        )
      const login = await ask('/v1/auth/session', { key: secret })
      const { token } = (await login.json()) as { token: string }
      const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? ''
      return (await ask(path, body, { cookie, 'x-session-token': token })).status
    },
    async mcp(name, input) {
      const accept = 'application/json, text/event-stream'
      const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: input } }
      const init = { method: 'POST', headers: { ...json, accept, authorization }, body: JSON.stringify(call) }
      const response = await fetch('/mcp', init)
      const text = await response.text()
      assert.ok(response.ok && !text.includes('"isError":true'), text)
    },
  }
}
