import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testLedger } from '../support/engines.ts'
import { entered, exchange, project, write } from './past-sessions.ts'
import { conductHere } from './program.ts'
import { onlyRun, secret, workplace } from './session.ts'
import { writeFiles } from './user.ts'

testLedger('an import masks secrets in the names of branches and files', async (ledger, t) => {
  const { run, claude, work } = entered(t, ledger)
  const [prompt = '', answer = ''] = exchange(1, work, 'Write it')
  const said = JSON.parse(answer)
  const input = { file_path: `${work}/notes-${secret}.txt`, content: 'x' }
  const content = [{ type: 'tool_use', id: 'toolu_1', name: 'Write', input }]
  const written = { ...said, message: { ...said.message, id: 'm0', content, stop_reason: 'tool_use' } }
  const result = [{ tool_use_id: 'toolu_1', type: 'tool_result', content: 'done', is_error: false }]
  const lines = [
    JSON.parse(prompt),
    written,
    { ...said, type: 'user', message: { role: 'user', content: result } },
    said,
  ]
  write(claude, lines.map((line) => `${JSON.stringify({ ...line, gitBranch: `fix-${secret}` })}\n`).join(''))
  await run('claude')
  const client = ledger.as({ project })
  const { runs } = await client.listRuns({})
  const { turns } = await client.listTurns({ runId: runs[0]?.runId ?? '' })
  assert.deepEqual(
    turns[0]?.files?.map(({ path }) => path),
    ['notes-[masked].txt'],
  )
  assert.equal(runs[0]?.git?.branch, 'fix-[masked]')
  const { events } = await client.listEvents({ limit: 100 })
  assert.ok(!JSON.stringify([runs, turns, events]).includes(secret))
})

test('conduct exec masks secrets in the names of branches, files and labels', async (t) => {
  const user = workplace(t)
  user.git('checkout', '-q', '-b', `fix-${secret}`)
  writeFiles(user.cwd, { 'src/login.ts': 'answer(201)\n' })
  const words = ['exec', '--label', `by=${secret}`, '--', 'sh', '-c', `echo x > notes-${secret}.txt`]
  const { code, stderr } = await conductHere(words, user.env, user.cwd)
  assert.equal(code, 0, stderr)
  const run = await onlyRun(user)
  assert.equal(run.git?.branch, 'fix-[masked]')
  const { events } = await (await user.ledger()).listEvents({ limit: 100 })
  assert.ok(!JSON.stringify([run, events]).includes(secret))
})
