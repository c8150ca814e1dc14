import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import sql from 'sql-template-tag'
import type { Output } from '../src/client/client.ts'
import type { JsonFields } from '../src/recorder/agents/fields.ts'
import { createApp } from '../src/server/app.ts'
import { purgeHookSessions } from '../src/server/hooks/session.ts'
import { hookJob } from '../src/server/jobs/jobs.ts'
import { documentOf } from './agents/documents.ts'
import { base, type Ledger, testLedger } from './support/engines.ts'

const claude = (name: string, changes: JsonFields = {}) => documentOf('claude', name, { session_id: 's-1', ...changes })

/** Posts documents to the address for hooks, one after the other. */
function senderTo({ fetch }: Ledger, headers: Record<string, string> = {}) {
  return async (agent: string, ...documents: unknown[]) => {
    const statuses: number[] = []
    for (const document of documents) {
      const body = JSON.stringify(document)
      const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body }
      statuses.push((await fetch(`/v1/hooks/${agent}`, init)).status)
    }
    return statuses
  }
}

/** The run once it has ended. The server ends a session a moment after its last hook, which others may overtake. */
async function ended({ client }: Ledger, runId = 'RUN-001') {
  for (;;) {
    const { run } = await client.getRun({ runId })
    if (run.status !== 'in_progress') return run
    await pause(50)
  }
}

testLedger('hooks take no query parameters', async (ledger) => {
  const send = senderTo(ledger)
  const prompt = claude('UserPromptSubmit', { prompt: 'Hello' })
  assert.deepEqual(await send('claude?project=shop', prompt), [422])
  assert.equal((await ledger.client.listRuns({})).runs.length, 0)
  const body = JSON.stringify(prompt)
  const headers = { 'content-type': 'application/json' }
  const response = await ledger.fetch('/v1/hooks/claude?project=shop&x=1', { method: 'POST', headers, body })
  const { error, code } = (await response.json()) as { error: string; code: string }
  assert.equal(code, 'VALIDATION_ERROR')
  assert.match(error, /project: unknown query parameter.*x: unknown query parameter/)
})

testLedger('the hooks of a session show its open turn', async (ledger) => {
  const { client } = ledger
  const send = senderTo(ledger)
  const secret = `ghp_${'a1B2c3D4e5'.repeat(4).slice(0, 36)}`
  const open = async () => (await client.getRun({ runId: 'RUN-001' })).run.turns.open
  await send('claude', claude('UserPromptSubmit', { prompt: `Use ${secret} to push.`, prompt_id: 'p-1' }))
  const { n, prompt, startedAt } = (await open()) ?? {}
  assert.deepEqual([n, prompt], [1, 'Use [masked] to push.'])
  assert.ok(startedAt)
  const { cwd } = claude('Stop')
  const edit = { tool_name: 'Edit', tool_input: { file_path: `${cwd}/src/a.ts` }, tool_use_id: 'edit' }
  await send('claude', claude('PostToolUse-Bash'), claude('PostToolUse-Bash', edit))
  const { commands, files } = (await open()) ?? {}
  assert.deepEqual([commands?.map(({ exitCode }) => exitCode), files], [[0], [{ path: 'src/a.ts' }]])
  await send('claude', claude('Stop', { last_assistant_message: 'Pushed.' }))
  assert.equal(await open(), undefined)
  await send('claude', claude('UserPromptSubmit', { prompt: 'Go on', prompt_id: 'p-2' }))
  assert.deepEqual([(await open())?.n, (await open())?.prompt], [2, 'Go on'])
})

testLedger('a turn whose texts are erased before its end is not lost', async (ledger) => {
  const { client } = ledger
  const send = senderTo(ledger)
  const prompt = (text: string) => claude('UserPromptSubmit', { prompt: text, prompt_id: text })
  const stop = (answer: string) => claude('Stop', { last_assistant_message: answer })
  await send('claude', prompt('One'), stop('First.'), prompt('Two'))
  await client.erase({ runId: 'RUN-001' })
  await send('claude', stop('Second.'))
  const { turns } = await client.listTurns({ runId: 'RUN-001' })
  assert.deepEqual(
    turns.map(({ n, answer, open }) => [n, answer, open]),
    [
      [1, '[6 bytes erased]\n', undefined],
      [2, 'Second.', undefined],
    ],
  )
})

testLedger('a session on Windows shows its files from its folder, with slashes', async (ledger) => {
  const send = senderTo(ledger)
  const cwd = 'C:\\Users\\me\\shop'
  const edit = {
    cwd,
    tool_name: 'Edit',
    tool_input: { file_path: 'c:\\Users\\me\\shop\\src\\a.ts' },
    tool_use_id: 'edit',
  }
  await send('claude', claude('UserPromptSubmit', { cwd, prompt: 'Go on', prompt_id: 'p-1' }))
  await send('claude', claude('PostToolUse-Bash', { cwd }), claude('PostToolUse-Bash', edit))
  const { open } = (await ledger.client.getRun({ runId: 'RUN-001' })).run.turns
  assert.deepEqual(open?.files, [{ path: 'src/a.ts' }])
})

testLedger('the hooks of a session record a run with its turns', async (ledger) => {
  const { client, advance } = ledger
  const send = senderTo(ledger)
  const secret = `ghp_${'a1B2c3D4e5'.repeat(4).slice(0, 36)}`
  const prompt = claude('UserPromptSubmit', { prompt: `Use ${secret} to push.`, prompt_id: 'p-1' })
  assert.deepEqual(
    await send('claude', claude('SessionStart-startup'), prompt, claude('PreToolUse-Bash')),
    [204, 204, 204],
  )
  const { runs } = await client.listRuns({})
  const [run] = runs
  assert.deepEqual(
    [runs.length, run?.agent, run?.status, run?.where?.session],
    [1, 'claude-code', 'in_progress', 's-1'],
  )
  assert.deepEqual(
    { ...run?.activity, since: '', turnSince: '' },
    { state: 'working', tool: 'Bash', target: 'curl -s https://shop.example/', since: '', turnSince: '' },
  )
  const runId = run?.runId as string

  const tool = claude('PostToolUse-Bash')
  assert.deepEqual(
    await send('claude', tool, tool, claude('Stop', { last_assistant_message: 'Pushed.' })),
    [204, 204, 204],
  )
  const { turns } = await client.listTurns({ runId })
  assert.deepEqual(
    turns.map(({ answer, tools }) => ({ answer, tools })),
    [{ answer: 'Pushed.', tools: [{ name: 'Bash', count: 1 }] }],
    'a document that two hooks send is told once',
  )
  assert.match(turns[0]?.prompt ?? '', /^Use \S+ to push\.$/)
  assert.ok(!JSON.stringify(await client.getRun({ runId })).includes(secret), 'what is secret is masked')
  assert.equal((await client.getRun({ runId })).run.activity?.state, 'idle')

  assert.deepEqual(await send('claude', claude('SessionEnd-other', { reason: 'other' })), [204])
  assert.equal((await client.getRun({ runId })).run.status, 'completed')
  advance(60_000)
  await send('claude', claude('UserPromptSubmit', { prompt: 'Once more.', prompt_id: 'p-2' }))
  const again = (await client.getRun({ runId })).run
  assert.deepEqual(
    [again.status, (await client.listRuns({})).runs.length],
    ['in_progress', 1],
    'a resumed session goes on',
  )
  await send('claude', claude('StopFailure-rate_limit'), claude('SessionEnd-other', { prompt_id: 'p-2' }))
  const failed = (await client.getRun({ runId })).run
  assert.deepEqual([failed.status, failed.failure?.code], ['failed', 'RATE_LIMIT'])
})

testLedger('a session may wait two hours for its user, and ten minutes while it works', async (ledger) => {
  const { client, advance } = ledger
  const send = senderTo(ledger)
  const statusOf = async () => {
    const [run] = (await client.listRuns({})).runs
    // The next call on the run notices that its lease has expired.
    await client.appendToRun({ runId: run?.runId ?? '', text: ' ' }).catch(() => {})
    return (await client.listRuns({})).runs[0]?.status
  }
  await send('claude', claude('UserPromptSubmit', { prompt: 'Do it.' }), claude('Stop'))
  advance(3_600_000)
  assert.equal(await statusOf(), 'in_progress')
  await send('claude', claude('UserPromptSubmit', { prompt: 'Go on.', prompt_id: 'p-2' }), claude('PreToolUse-Bash'))
  advance(590_000)
  assert.equal(await statusOf(), 'in_progress')
  advance(20_000)
  assert.equal(await statusOf(), 'failed')
})

testLedger(
  'sessions of two keys are separate, and hooks leave a run alone that someone else has taken over',
  async (ledger) => {
    const { client } = ledger
    const key = async (name: string) => {
      const { secret } = await client.createKey({ name, permissions: ['agent'] })
      return senderTo(ledger, { authorization: `Bearer ${secret}` })
    }
    const [one, two] = [await key('one'), await key('two')]
    const prompt = claude('UserPromptSubmit', { prompt: 'Do it.' })
    await one('claude', prompt)
    await two('claude', prompt)
    const { runs } = await client.listRuns({ order: 'asc' })
    assert.deepEqual(
      runs.map(({ createdBy }) => createdBy.name),
      ['one', 'two'],
    )
    const runId = runs[0]?.runId as string
    await client.updateRun({ runId, status: 'failed' })
    assert.deepEqual(await one('claude', claude('Stop'), claude('SessionEnd-other')), [204, 204])
    assert.equal((await client.getRun({ runId })).run.failure?.code, 'CANCELLED')
    await client.deleteRun({ runId })
    assert.deepEqual(
      await one('claude', claude('Stop'), claude('UserPromptSubmit', { prompt: 'Again.', prompt_id: 'p-9' })),
      [204, 204],
    )
    assert.equal((await client.listRuns({})).runs.length, 2)
  },
)

testLedger(
  'the address for hooks accepts any document, from a key that may record, over a safe connection',
  async (ledger) => {
    const { client, adminKey, store } = ledger
    const send = senderTo(ledger)
    assert.deepEqual(
      await send('claude', {}, [], 5, null, { hook_event_name: 'Nope' }, claude('Stop')),
      Array(6).fill(204),
    )
    assert.deepEqual(await send('nobody', claude('UserPromptSubmit', { prompt: 'Hi.' })), [204])
    assert.equal((await client.listRuns({})).runs[0]?.agent, 'claude-code', 'a document is read by its own fields')
    const { secret } = await client.createKey({ name: 'reader', permissions: ['read'] })
    assert.deepEqual(await senderTo(ledger, { authorization: `Bearer ${secret}` })('claude', {}), [403])
    assert.deepEqual(await senderTo(ledger, { authorization: 'Bearer nonsense' })('claude', {}), [401])
    const app = createApp({ store, rateLimit: 0 })
    const from = async (remoteAddress: string, more: Record<string, string> = {}) => {
      const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json', ...more }
      const request = new Request(`${base}/v1/hooks/claude`, { method: 'POST', headers, body: '{}' })
      return (await app.fetch(request, { incoming: { socket: { remoteAddress } } })).status
    }
    assert.equal(await from('192.0.2.7'), 403, 'in clear over a network')
    assert.equal(await from('192.0.2.7', { 'x-forwarded-proto': 'https' }), 204)
    // A proxy on the server's machine that received the request unencrypted.
    assert.equal(await from('127.0.0.1', { 'x-forwarded-proto': 'http' }), 403)
    assert.deepEqual([await from('127.0.0.1'), await from('::1'), await from('::ffff:127.0.0.1')], [204, 204, 204])
  },
)

testLedger('hooks with values that no ledger takes are recorded without these values', async (ledger) => {
  const { client, fetch } = ledger
  const cursor = (fields: JsonFields) => ({
    cursor_version: '1',
    conversation_id: 'c',
    workspace_roots: ['/w'],
    ...fields,
  })
  const shell = { hook_event_name: 'postToolUse', tool_name: 'Shell', tool_input: { command: 'ls' } }
  const sent = await senderTo(ledger)(
    'cursor',
    cursor({ hook_event_name: 'beforeSubmitPrompt', prompt: 'List.' }),
    cursor({ ...shell, tool_use_id: '1', duration: 1e300, tool_output: '{"exitCode":1e11}' }),
    cursor({ hook_event_name: 'stop', status: 'completed', input_tokens: 1e300, output_tokens: 7 }),
    cursor({ hook_event_name: 'beforeSubmitPrompt', prompt: 'Again.' }),
    cursor({ hook_event_name: 'stop', status: 'completed', input_tokens: 1e12, output_tokens: 1e12 }),
  )
  assert.deepEqual(sent, [204, 204, 204, 204, 204])
  const [run] = (await client.listRuns({})).runs
  const { turns } = await client.listTurns({ runId: run?.runId ?? '' })
  assert.deepEqual(
    turns[0]?.commands?.map(({ at: _, ...command }) => command),
    [{ command: 'ls' }],
  )
  assert.deepEqual(
    turns.map(({ usage }) => [usage?.inputTokens, usage?.outputTokens]),
    [
      [0, 7],
      [1e12, 1e12],
    ],
  )
  assert.equal(run?.usage?.outputTokens, 1e12)
  const deep = (end: string) => `${'['.repeat(20_000)}${end}${']'.repeat(20_000)}`
  for (const field of ['"prompt_id":"1","other"', '"tool_input"', '"tool_name":"Bash","tool_input"']) {
    const value = field.includes('Bash') ? `{"command":${deep('1')}}` : deep('1')
    for (const event of ['UserPromptSubmit', 'PostToolUse', 'Stop']) {
      const body = `{"session_id":"s","cwd":"/","hook_event_name":"${event}","prompt":"x",${field}:${value}}`
      for (const agent of ['claude', 'codex', 'copilot', 'unknown']) {
        const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
        assert.equal((await fetch(`/v1/hooks/${agent}`, init)).status, 204, `${agent} ${event} ${field}`)
      }
    }
  }
})

testLedger(
  'an interrupted session fails, and a message sent while the agent works interrupts nothing',
  async (ledger) => {
    const { client } = ledger
    const send = senderTo(ledger)
    const prompt = (prompt: string, prompt_id: string) => claude('UserPromptSubmit', { prompt, prompt_id })
    await send('claude', prompt('One', 'p'), prompt('Two', 'p'), prompt('Three', 'q'), claude('SessionEnd-other'))
    const run = await ended(ledger)
    const { turns } = await client.listTurns({ runId: 'RUN-001' })
    assert.deepEqual(
      turns.map(({ prompt, interrupted }) => [prompt, interrupted]),
      [
        ['One', undefined],
        ['Two', true],
        ['Three', true],
      ],
    )
    assert.deepEqual([run.status, run.failure?.code], ['failed', 'INTERRUPTED'])
    await send('claude', prompt('Four', 'r'), claude('Stop'), claude('SessionEnd-other', { prompt_id: 'r' }))
    const { run: again } = await client.getRun({ runId: 'RUN-001' })
    assert.deepEqual([again.status, again.failure], ['completed', null])
  },
)

testLedger('what hooks told of a session goes with its run', async (ledger) => {
  const { client, store } = ledger
  const send = senderTo(ledger)
  await send('claude', claude('UserPromptSubmit', { prompt: 'The first word.' }))
  const runId = (await client.listRuns({})).runs[0]?.runId as string
  await client.updateRun({ runId, status: 'failed' })
  await client.deleteRun({ runId })
  assert.deepEqual(await store.db.query(sql`select memo from hook_sessions`), [])
  await send('claude', claude('PostToolUse-Bash'), claude('UserPromptSubmit', { prompt: 'The second word.' }))
  const { runs } = await client.listRuns({})
  assert.deepEqual(
    runs.map(({ title }) => title),
    ['The second word.'],
  )
})

testLedger('hooks that arrive together belong to one run', async (ledger) => {
  const { client } = ledger
  const send = senderTo(ledger)
  for (let n = 0; n < 10; n++) {
    const session = { session_id: `s-${n}` }
    await send('claude', claude('SessionStart-startup', session))
    await Promise.all([
      send('claude', claude('UserPromptSubmit', { ...session, prompt: 'Try.' })),
      send('claude', claude('PreToolUse-Bash', session)),
    ])
    await send('claude', claude('Stop', { ...session, last_assistant_message: 'Done.' }))
    const { runs } = await client.listRuns({ session: `s-${n}` })
    assert.equal(runs.length, 1)
    const { turns } = await client.listTurns({ runId: runs[0]?.runId as string })
    assert.deepEqual(
      turns.map(({ prompt, answer }) => [prompt, answer]),
      [['Try.', 'Done.']],
    )
  }
})

testLedger('hooks with very long lists are recorded at once', async (ledger) => {
  const { client } = ledger
  const send = senderTo(ledger)
  await send('claude', claude('UserPromptSubmit', { prompt: 'Plan it.' }))
  const todos = Array.from({ length: 8_000 }, (_, n) => ({ content: `step ${n}`, status: 'pending' }))
  const call = { tool_name: 'Bash', tool_input: {}, tool_response: '<tool_use_error>no' }
  const batch = { hook_event_name: 'PostToolBatch', tool_calls: Array(5_000).fill(call), prompt_id: 'p-1' }
  const begun = process.cpuUsage()
  assert.deepEqual(
    await send(
      'claude',
      claude('PostToolUse-Bash', { tool_name: 'TodoWrite', tool_input: { todos } }),
      claude('Stop', batch),
      claude('Stop'),
    ),
    [204, 204, 204],
  )
  const { user } = process.cpuUsage(begun)
  assert.ok(user < 3_000_000, `${user / 1000} ms`)
  const [run] = (await client.listRuns({})).runs
  const { turns } = await client.listTurns({ runId: run?.runId as string })
  assert.equal(turns[0]?.plan?.length, 100)
})

testLedger(
  'the end of a session that overtakes the end of its last turn ends it well',
  async (ledger) => {
    const { client } = ledger
    const send = senderTo(ledger)
    const prompt = claude('UserPromptSubmit', { prompt: 'Do it.' })
    await send('claude', prompt, claude('SessionEnd-other'), claude('Stop', { last_assistant_message: 'Done.' }))
    const { run } = await client.getRun({ runId: 'RUN-001' })
    assert.deepEqual([run.status, run.failure], ['completed', null])
    const { turns } = await client.listTurns({ runId: 'RUN-001' })
    assert.deepEqual(
      turns.map(({ prompt, answer, interrupted }) => [prompt, answer, interrupted]),
      [['Do it.', 'Done.', undefined]],
    )
  },
  { isStill: true },
)

testLedger('the turn of a session that falls silent is recorded when its lease ends', async (ledger) => {
  const { client, advance } = ledger
  const send = senderTo(ledger)
  await send('claude', claude('UserPromptSubmit', { prompt: 'Do it.' }), claude('PostToolUse-Bash'))
  advance(600_000)
  // Both the reaper and the end of the session may be first.
  let turns: Output<'listTurns'>['turns'] = []
  while (turns.length === 0) {
    await pause(50)
    turns = (await client.listTurns({ runId: 'RUN-001' })).turns
  }
  const run = await ended(ledger)
  assert.deepEqual([run.status, run.failure?.code], ['failed', 'LEASE_EXPIRED'])
  assert.deepEqual(
    turns.map(({ prompt, tools }) => [prompt, tools?.length]),
    [['Do it.', 1]],
  )
})

testLedger('the server keeps no token of a session, and no session without a run', async (ledger) => {
  const { store, advance } = ledger
  const send = senderTo(ledger)
  await send('claude', claude('UserPromptSubmit', { prompt: 'Do it.' }))
  await send('claude', claude('SessionStart-startup', { session_id: 's-2' }))
  const rows = () =>
    store.db.query<{ session: string; hash: string }>(
      sql`select session, lease_hash as hash from hook_sessions order by session`,
    )
  assert.match((await rows())[0]?.hash ?? '', /^[0-9a-f]{64}$/)
  advance(90_000_000)
  const now = new Date(Date.now() + 90_000_000).toISOString()
  assert.equal(await purgeHookSessions(store.db, now), false)
  assert.deepEqual(
    (await rows()).map(({ session }) => session),
    ['s-1'],
  )
})

testLedger(
  'a wait is shown once nothing but a person can answer it, with its tool',
  async (ledger) => {
    const { client, advance, store } = ledger
    const send = senderTo(ledger)
    const job = hookJob(store)
    const later = async () => {
      advance(1_000)
      while (await job.step(5));
      const { events } = await client.listEvents({ type: ['run.waiting'] })
      return [
        (await client.getRun({ runId: 'RUN-001' })).run.activity?.state,
        events.map(({ changes }) => changes.tool?.[1]),
      ]
    }
    const ask = claude('PermissionRequest-Bash')
    const run = (more: JsonFields = {}) => claude('PostToolUse-Bash', more)
    await send('claude', claude('UserPromptSubmit', { prompt: 'Go' }), claude('PreToolUse-Bash'), ask, run())
    assert.deepEqual(await later(), ['working', []], 'a rule answered at once')
    await send('claude', claude('PreToolUse-Bash', { tool_use_id: 't2' }), claude('Notification-permission_prompt'))
    assert.equal((await client.getRun({ runId: 'RUN-001' })).run.activity?.state, 'working')
    assert.deepEqual(await later(), ['waiting', ['Bash']])
    await send('claude', claude('Notification-permission_prompt'))
    assert.deepEqual(await later(), ['waiting', ['Bash']])
    await send('claude', run({ tool_use_id: 't2' }))
    assert.deepEqual(await later(), ['working', ['Bash']])
    await send('claude', ask, claude('SessionStart-startup'))
    assert.deepEqual(await later(), ['waiting', ['Bash', 'Bash']])
    await send('claude', claude('Notification-permission_prompt', { notification_type: 'idle_prompt' }))
    assert.deepEqual(await later(), ['idle', ['Bash', 'Bash']], 'its user stopped it')
  },
  { isStill: true },
)

testLedger(
  'a wait that was answered at once keeps no session alive, and the next turn does not wait for its tool',
  async (ledger) => {
    const { client, advance, store } = ledger
    const send = senderTo(ledger)
    const job = hookJob(store)
    const later = async (ms: number) => {
      advance(ms)
      while (await job.step(5));
      return (await client.getRun({ runId: 'RUN-001' })).run
    }
    const ask = claude('Notification-permission_prompt')
    await send('claude', claude('UserPromptSubmit', { prompt: 'One' }), claude('PreToolUse-Bash'), ask)
    await send('claude', claude('UserPromptSubmit', { prompt: 'Two', prompt_id: 'p-2' }), ask)
    const { activity } = await later(1_000)
    assert.deepEqual([activity?.state, activity?.tool], ['waiting', undefined])
    await send('claude', claude('PreToolUse-Bash'), ask, claude('PostToolUse-Bash'))
    const { status, failure } = await later(600_000)
    assert.deepEqual([status, failure?.code], ['failed', 'LEASE_EXPIRED'])
  },
  { isStill: true },
)

testLedger(
  'a prompt or the end of a turn without an id counts once within two seconds',
  async (ledger) => {
    const { client, advance } = ledger
    const send = senderTo(ledger)
    const without = (name: string, changes: JsonFields) => claude(name, { prompt_id: undefined, ...changes })
    const prompt = without('UserPromptSubmit', { prompt: 'Go on' })
    const stop = without('Stop', { last_assistant_message: 'Done.' })
    await send('claude', prompt, prompt, stop, stop, prompt, stop)
    advance(2_000)
    await send('claude', stop)
    const { turns } = await client.listTurns({ runId: 'RUN-001' })
    assert.deepEqual(
      turns.map(({ prompt, answer }) => [prompt, answer]),
      [
        ['Go on', 'Done.'],
        ['Go on', 'Done.'],
        [undefined, 'Done.'],
      ],
    )
  },
  { isStill: true },
)

testLedger(
  'a tool that is told after the end of its turn leaves the session idle',
  async (ledger) => {
    const { client, advance } = ledger
    const send = senderTo(ledger)
    const shown = async () => {
      const { status, activity, turns } = (await client.getRun({ runId: 'RUN-001' })).run
      return [status, activity?.state, turns.open]
    }
    const tool = claude('PostToolUse-Bash', { tool_use_id: 't1' })
    await send('claude', claude('UserPromptSubmit', { prompt: 'Go' }), claude('PreToolUse-Bash'), claude('Stop'), tool)
    assert.deepEqual(await shown(), ['in_progress', 'idle', undefined])
    advance(3_600_000)
    while (await hookJob(ledger.store).step(5));
    assert.deepEqual(await shown(), ['in_progress', 'idle', undefined])
    const own = (name: string) => claude(name, { tool_use_id: 't2' })
    await send('claude', own('PreToolUse-Bash'), own('PostToolUse-Bash'))
    assert.deepEqual(await shown(), ['in_progress', 'working', undefined], 'work that the agent begins on its own')
  },
  { isStill: true },
)
