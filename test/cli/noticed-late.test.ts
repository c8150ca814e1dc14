import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { settleNotes } from '../../src/capture/hook/session.ts'
import { stateFile, stateOf } from '../../src/capture/spool/state-file.ts'
import { onlyRun, runsOf, syncAll } from './session.ts'
import { type Session, session } from './verdict-session.ts'

// What is known of a session whose end nobody reports, and whose hooks are read long after they ran.

/** The session sends nothing more, and nobody notices for hours. */
async function noticedLate(t: TestContext, { env, verdict }: Session) {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 3 * 3_600_000 })
  const db = new DatabaseSync(stateFile(env))
  db.exec('update recordings set agent_proven = 0')
  db.close()
  {
    using state = stateOf(env)
    for (let look = 0; look < 2; look++) await settleNotes(state, env, assert.fail)
  }
  t.mock.timers.reset()
  return verdict()
}

test('a session that disappears after an edit does not get the files of somebody who comes later', async (t) => {
  const s = await session(t)
  await s.run('git checkout -q -b work')
  await s.run('npm test')
  await s.write('work', 'fail\n')
  s.shell('git stash -q && git checkout -q main && echo person > person.js && git add -A && git commit -qm person')
  assert.equal(await noticedLate(t, s), 'stale executed')
  const run = await onlyRun(s)
  assert.deepEqual([run.git?.branch, run.git?.tree, run.git?.commits], ['work', undefined, undefined])
  const { files } = await (await s.ledger()).listRunFiles({ runId: run.runId })
  assert.deepEqual(
    files.map(({ path }) => path),
    ['work'],
  )
})

test('a session that disappears after its tests keeps the files that they saw', async (t) => {
  const s = await session(t)
  await s.write('own.js', '1\n')
  await s.run('npm test')
  s.shell('echo person > person.js && git add -A && git commit -qm person')
  assert.equal(await noticedLate(t, s), 'verified executed')
  const run = await onlyRun(s)
  assert.deepEqual([run.changes?.files, run.git?.uncommitted], [1, { count: 1, paths: ['own.js'] }])
})

const later: [what: string, does: (s: Session) => Promise<unknown>, verdict: string][] = [
  [
    'a command of its own goes on in the background',
    async ({ claude, run }) => {
      const more = { tool_response: { backgroundTaskId: 'b1' } }
      await claude.use('Bash', { command: 'node generate.js --watch' }, () => {}, more)
      await run('npm test')
    },
    'stale executed',
  ],
  [
    'it is within a command',
    async ({ claude, run }) => {
      await run('npm test')
      const tool_input = { command: 'node generate.js' }
      await claude.tell('PreToolUse', { tool_name: 'Bash', tool_input, tool_use_id: 'long' })
    },
    'stale executed',
  ],
  [
    'it is within an edit',
    async ({ claude, run }) => {
      await run('npm test')
      const tool_input = { file_path: 'work', old_string: 'pass', new_string: 'fail' }
      await claude.tell('PreToolUse', { tool_name: 'Edit', tool_input, tool_use_id: 'e' })
    },
    'stale executed',
  ],
  [
    'a tool of an MCP server has written',
    async ({ claude, run }) => {
      await run('npm test')
      await claude.use('mcp__serena__replace_symbol_body', { name_path: 'x', body: 'fail' }, () => {})
    },
    'stale executed',
  ],
  [
    'it has edited in a second turn',
    async ({ claude, run, write }) => {
      await run('npm test')
      await claude.stop()
      await claude.prompt('More')
      await write('work', 'fail\n')
    },
    'stale executed',
  ],
  [
    'it has only read in a second turn',
    async ({ claude, run }) => {
      await run('npm test')
      await claude.stop()
      await claude.prompt('More')
      await claude.use('Read', { file_path: 'work' }, () => {})
    },
    'verified executed',
  ],
]

for (const [what, does, verdict] of later) {
  test(`a session that disappears while ${what} is ${verdict}`, async (t) => {
    const s = await session(t)
    await s.write('own.js', '1\n')
    await does(s)
    s.beside({ work: 'fail\n' })
    assert.equal(await noticedLate(t, s), verdict)
  })
}

/** The agent of the session is gone, which is noticed at once. */
async function noticedAtOnce({ env, claude: { session } }: Session) {
  const db = new DatabaseSync(stateFile(env))
  const gone = `json_set(agent_process, '$.pid', ${2 ** 22 + 1})`
  db.exec(`update recordings set agent_process = ${gone}, agent_proven = 1 where session = '${session}'`)
  db.close()
  using state = stateOf(env)
  await settleNotes(state, env, assert.fail)
}

for (const isTested of [true, false]) {
  test(`a session that disappears after ${isTested ? 'its tests' : 'an edit'} gets no line of another one that begins at once`, async (t) => {
    const s = await session(t)
    const { env, claude } = s
    await s.write('own.js', '1\n')
    if (isTested) await s.run('npm test')
    const other = s.other()
    await other.prompt('Go on')
    await other.write('own.js', '1\n2\n')
    await noticedAtOnce(s)
    await other.stop()
    await other.end()
    await syncAll(env)
    const client = await s.ledger()
    const run = (await runsOf(s)).find(({ where }) => where?.session === claude.session)
    assert.equal(run?.failure?.code, 'AGENT_GONE')
    assert.equal(run?.verdict, isTested ? 'verified' : 'unchecked')
    assert.equal(run?.git?.tree === undefined, !isTested)
    const { files } = await client.getDiff({ runId: run?.runId ?? '' })
    assert.deepEqual(
      files.map(({ path, patch }) => [path, patch?.includes('+2')]),
      isTested ? [['own.js', false]] : [],
    )
  })
}

test('a session that disappears has its files if another one only works elsewhere', async (t) => {
  const s = await session(t)
  await s.write('own.js', '1\n')
  {
    using state = stateOf(s.env)
    const place = { kind: 'local', databaseUrl: 'sqlite::memory:', project: 'other' } as const
    state.record({ name: 'other', kind: 'hook', place, cwd: s.folder })
    state.wrote('other', [join(s.folder, 'elsewhere/other.js')])
  }
  await noticedAtOnce(s)
  await syncAll(s.env)
  const run = (await runsOf(s)).find(({ where }) => where?.session === s.claude.session)
  assert.ok(run?.git?.tree)
  assert.deepEqual([run.git.uncommitted?.paths, run.changes?.files], [['own.js'], 1])
})

test('a session that its user ended within a turn has the files as they were left', async (t) => {
  const s = await session(t)
  await s.write('own.js', '1\n')
  await s.run('npm test')
  s.beside({ work: 'fail\n' })
  await s.other().run('true')
  await s.claude.end('prompt_input_exit')
  await syncAll(s.env)
  const run = (await runsOf(s)).find(({ where }) => where?.session === s.claude.session)
  assert.deepEqual([run?.verdict, run?.git?.uncommitted?.paths], ['stale', ['own.js', 'work']])
})

test('a turn whose trees git was too slow for has no earlier tree instead', async (t) => {
  const s = await session(t)
  await s.write('own.js', '1\n')
  await s.run('npm test')
  const objects = join(s.folder, '.local/state/conduct/objects')
  await s.run('echo fail > work', () => {
    for (const name of readdirSync(objects)) writeFileSync(join(objects, name, 'slow'), '')
  })
  await s.claude.stop()
  assert.equal(await noticedLate(t, s), 'stale executed')
})

for (const isQueued of [true, false]) {
  test(`tests that end long after ${isQueued ? 'another prompt' : 'the end of their turn'} have the tree before them`, async (t) => {
    const s = await session(t)
    await s.write('own.js', '1\n')
    const use = { tool_name: 'Bash', tool_input: { command: 'npm test' }, tool_use_id: 'long' }
    await s.claude.tell('PreToolUse', use)
    await (isQueued ? s.claude.prompt('And then the docs') : s.claude.stop())
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 1_200_000 })
    {
      using state = stateOf(s.env)
      state.forgetActs()
    }
    t.mock.timers.reset()
    await s.claude.tell('PostToolUse', { ...use, tool_response: {} })
    await s.claude.stop()
    assert.equal(await s.verdict(), 'verified executed')
  })
}
