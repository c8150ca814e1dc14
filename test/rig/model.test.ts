import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Script, subagentMark } from './model/script.ts'
import { startModel } from './model/server.ts'

const model = await startModel({ pace: 0 })
after(() => model.close())

const tokens = { input: 10, cacheRead: 100, cacheWrite: 5, output: 7 }
const script: Script = {
  replies: [
    { say: 'First a plan.', does: [{ do: 'plan', items: ['Run it'] }], tokens },
    { say: 'I run it.', does: [{ do: 'shell', command: 'true' }], tokens },
    { say: 'Done.', tokens },
  ],
}

const command = { properties: { command: { type: 'string' } }, required: ['command'] }

/** A request to each API with one tool, and patterns for its response: the call, then the tokens. */
const apis: [name: string, path: string, body: object, call: RegExp, used: RegExp][] = [
  [
    'Anthropic messages',
    '/v1/messages',
    { model: 'm', stream: true, messages: [], tools: [{ name: 'Bash', input_schema: command }] },
    /"type":"tool_use","id":"[^"]+","name":"Bash"[\s\S]*\\"command\\":\\"true\\"/,
    /"input_tokens":10,"cache_read_input_tokens":100,"cache_creation_input_tokens":5/,
  ],
  [
    'OpenAI responses',
    '/responses',
    {
      model: 'm',
      stream: true,
      input: [],
      tools: [{ type: 'function', name: 'exec_command', parameters: { properties: { cmd: {} } } }],
    },
    /"name":"exec_command"[\s\S]*"arguments":"\{\\"cmd\\":\\"true\\"\}"/,
    /"input_tokens":115,"input_tokens_details":\{"cached_tokens":100\},"output_tokens":7/,
  ],
  [
    'OpenAI chat completions',
    '/v1/chat/completions',
    {
      model: 'm',
      stream: true,
      messages: [],
      tools: [{ type: 'function', function: { name: 'bash', parameters: command } }],
    },
    /"name":"bash","arguments":"\{\\"command\\":\\"true\\"\}"/,
    /"prompt_tokens":115,"completion_tokens":7/,
  ],
  [
    'Gemini',
    '/v1beta/models/m:streamGenerateContent?alt=sse',
    { contents: [], tools: [{ functionDeclarations: [{ name: 'run_shell_command', parametersJsonSchema: command }] }] },
    /"name":"run_shell_command","args":\{"command":"true"\}/,
    /"promptTokenCount":115,"cachedContentTokenCount":100,"candidatesTokenCount":7/,
  ],
]

const ask = async (session: string, path: string, body: object) => {
  const answer = await fetch(model.urlOf(session) + path, { method: 'POST', body: JSON.stringify(body) })
  return { status: answer.status, text: await answer.text() }
}

for (const [name, path, body, call, used] of apis) {
  test(`the model plays the script in the API of ${name}, and skips what the agent has no tool for`, async () => {
    const played = model.play('session', script)
    const { text } = await ask('session', path, body)
    assert.match(text, /I run it\./)
    assert.match(text, call)
    assert.match(text, used)
    assert.match((await ask('session', path, body)).text, /Done\./)
    assert.deepEqual([played.answer, played.beyond, played.tokens.agent.input], ['Done.', 0, 20])
    await ask('session', path, body)
    assert.equal(played.beyond, 1)
  })
}

const [, path, body] = apis[0] as (typeof apis)[number]

test('a request for a title does not use up the script', async () => {
  const played = model.play('titled', script)
  const { text } = await ask('titled', path, { ...body, tools: [] })
  assert.match(text, /Scripted/)
  assert.deepEqual([played.calls, played.answer], [[], undefined])
})

test('a failure repeats until the agent gives up', async () => {
  model.play('failing', { replies: [{ fails: { status: 429, type: 'rate_limit_error', message: 'Too fast' } }] })
  for (const _ of [1, 2]) {
    const { status, text } = await ask('failing', path, body)
    assert.deepEqual([status, JSON.parse(text).error.message], [429, 'Too fast'])
  }
})

test('sessions wait for each other at a meeting', async () => {
  const meeting: Script = { replies: [{ say: 'Met.', meets: 'there' }] }
  const [one, other] = [model.play('one', meeting), model.play('other', meeting)]
  const first = ask('one', path, body)
  assert.equal(other.arrived.size, 0)
  const both = await Promise.all([first, ask('other', path, body)])
  assert.ok(both.every(({ text }) => text.includes('Met.')))
  assert.deepEqual([...one.arrived, ...other.arrived], ['there', 'there'])
})

test('the model tells a subagent from its agent, and gives it its own replies', async () => {
  const played = model.play('delegating', { replies: [{ say: 'Mine.' }], subagent: [{ say: 'Its own.', tokens }] })
  const messages = [{ role: 'user', content: `${subagentMark} Write it.` }]
  assert.match((await ask('delegating', path, { ...body, messages })).text, /Its own\./)
  assert.match((await ask('delegating', path, body)).text, /Mine\./)
  assert.deepEqual([played.answer, played.tokens.subagent], ['Mine.', tokens])
})

test('in code mode a call is a line of JavaScript', async () => {
  const played = model.play('coding', { replies: [{ does: [{ do: 'write', path: 'a.txt', content: 'a\n' }] }] })
  const tools = [
    { type: 'custom', name: 'exec' },
    { type: 'function', name: 'exec_command' },
  ]
  const { text } = await ask('coding', '/responses', { model: 'm', stream: true, input: [], tools })
  assert.match(text, /"name":"exec","status":"[a-z_]+".*tools\.apply_patch\(/)
  assert.deepEqual(
    played.calls.map(({ call }) => call.tool.name),
    ['apply_patch'],
  )
})
