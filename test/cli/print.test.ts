import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listPrinter, shown } from '../../src/cli/show/print.ts'
import { relative } from '../../src/terminal/amount.ts'
import { fitted, laidOut, widthOf } from '../../src/terminal/table.ts'
import { clean, jsonOf, line } from '../../src/text/clean.ts'
import { adminKey, openServer } from '../support/server.ts'
import { freshFolder, homeOf } from './folder.ts'
import { programOf } from './program.ts'

test('times are relative', () => {
  const now = Date.parse('2026-03-01T12:00:00.000Z')
  const told = (ms: number) => relative(new Date(now + ms).toISOString(), now)
  const cases: [number, string][] = [
    [0, 'now'],
    [-59_000, '59s ago'],
    [-60_000, '1m ago'],
    [-3_599_000, '59m ago'],
    [-86_399_000, '23h ago'],
    [-30 * 86_400_000, '30d ago'],
    [-31 * 86_400_000, '2026-01-29'],
    [7_200_000, 'in 2h'],
  ]
  for (const [ms, words] of cases) assert.equal(told(ms), words)
})

test('JSON output contains no control characters, and means the same', () => {
  const value = { title: 'a\u001b[2J\u007f\u009b31m\u0085\u202e\u2069\u200f\u061c\u{e0041} ü 🎉\n', list: ['\u0080'] }
  for (const text of [jsonOf(value), jsonOf(value, 2)]) {
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Bidi_Control}\u{e0041}]/u)
    assert.deepEqual(JSON.parse(text), value)
  }
  assert.match(jsonOf(value), /\\u009b31m.* ü 🎉/)
})

test('foreign text cannot control the terminal', () => {
  assert.equal(
    clean('a\u001b[31mred\u001b[0m\u001b]0;title\u0007\u009b2J\u0008\u202e\u200f\u200b\u{e0041}b\tc\r\nd\n'),
    'aredb\tc\nd\n',
  )
  assert.equal(line(' two\nlines\t '), 'two lines')
})

test('wide columns shrink first, and no line is longer than the terminal', () => {
  assert.deepEqual(fitted([7, 9, 40], new Set([2]), 80), [7, 9, 40])
  assert.deepEqual(fitted([7, 9, 40], new Set([2]), 40), [7, 9, 20])
  assert.deepEqual(fitted([20, 20, 40], new Set([2]), 40), [12, 12, 12])
  assert.deepEqual(fitted([7, 9, 40], new Set([2]), Number.POSITIVE_INFINITY), [7, 9, 40])
  // The id is what the next command needs.
  assert.deepEqual(fitted([7, 9, 9, 5, 40, 7], new Set([4]), 40, 0), [7, 4, 4, 5, 5, 5])
  assert.deepEqual(fitted([30, 9, 40], new Set([2]), 20, 0), [12, 2, 2])
  const text = laidOut([['RUN-001', '漢字漢字漢字', 'x'.repeat(40)]], [7, 8, 10])
  assert.equal(text, `RUN-001  漢字漢…   ${'x'.repeat(9)}…`)
  assert.equal(widthOf('漢字a'), 5)
})

test('an empty page of a list says that nothing was found only if it is the last one', (t) => {
  const said = t.mock.method(process.stderr, 'write', () => true)
  const print = listPrinter({})
  print({ results: [], meta: { hasMore: true } })
  assert.equal(said.mock.callCount(), 0)
  print({ results: [], meta: { hasMore: false } })
  assert.deepEqual(said.mock.calls[0]?.arguments, ['Nothing found.\n'])
})

test('values are shown briefly', () => {
  assert.equal(shown({ commit: 'abc', branch: null, dirty: false }), 'commit abc, dirty false')
  assert.equal(shown([{ id: 42, name: 'auth' }, 'x']), '42 auth, x')
  assert.equal(shown('2026-01-31T09:30:00.000Z', true), '2026-01-31T09:30:00.000Z')
  assert.equal(shown(null), '')
})

test('a table and a record have the expected text', async (t) => {
  const { url } = await openServer(t)
  const env = { ...homeOf(freshFolder(t)), CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
  const { run, all } = programOf(env)
  const create = 'run create --agent claude-code --quiet'
  await run(`${create} --title 'Log in with a \u001b[31mpasskey\u001b[0m' --spec-id AUTH-001 --status completed`)
  await run(`${create} --title ${'long-'.repeat(30)}`)
  const table = (await run('run list')).replace(/(now|\d+s ago)$/gm, '<time>')
  assert.equal(
    table,
    `RUN      STATUS     VERDICT    SPEC      AGENT        TITLE${' '.repeat(147)}WHY               CREATED
RUN-002  pending    unchecked            claude-code  ${'long-'.repeat(30)}  No check has run  <time>
RUN-001  completed  unchecked  AUTH-001  claude-code  Log in with a passkey${' '.repeat(131)}No check has run  <time>
`,
  )
  const record = (await run('run get RUN-001 --utc')).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]{12}Z/g, '<time>')
  assert.equal(
    record,
    `id:        1
project:   default
runId:     RUN-001
title:     Log in with a passkey
specId:    AUTH-001
status:    completed
agent:     claude-code
attempt:   1
verdict:   unchecked
why:       No check has run
startedAt: <time>
endedAt:   <time>
createdAt: <time>
updatedAt: <time>
createdBy: first admin
updatedBy: first admin
version:   1
`,
  )
  await run(
    `run add-turn RUN-001 --prompt 'Add a button' --answer Done. --command '{"command":"npm test","exitCode":1}' --quiet`,
  )
  assert.match(
    await run('run turns RUN-001'),
    /^TURN +ENDED +TOOLS +USD +PROMPT +ANSWER\n1 +0 +— +Add a button +Done\.\n$/,
  )
  assert.match(
    await run('run turn RUN-001 1'),
    /\n## Add a button\n\n> Add a button\n\nDone\.\n\n- ran `npm test`: exit 1\n/,
  )
  assert.match(await run('run get RUN-001'), /^turns: +1$.*^## Add a button$/ms)
  const empty = await all('run list --status failed')
  assert.deepEqual(empty, { code: 0, stdout: '', stderr: 'Nothing found.\n' })
  const first = await all('run list --limit 1')
  assert.match(first.stderr, /^There is more: use --all for everything, or --cursor \S+ for the next page\.\n$/)
  const made = await run('key create --name weak --permission read --service')
  assert.match(made, /^secret: +sk_read_[0-9A-Za-z]{43}$/m)
  await assert.rejects(run('key create --name weak --permission read'), /Whose key is it\? Give --person/)
  assert.match(await run('key create --name weak --permission read --service --quiet'), /^sk_read_[0-9A-Za-z]{43}\n$/)
  assert.match(await run('key list'), /^ID +NAME +KEY +PERMISSIONS/)
  await run(`run update RUN-002 --status failed --failure-code TESTS_FAILED --failure-message '3 tests fail'`)
  assert.match(await run('run list --status failed'), /TESTS_FAILED: 3 tests fail/)
})

test('durations are shown in words, and only JSON has milliseconds', async (t) => {
  const { url } = await openServer(t)
  const { run } = programOf({ ...homeOf(freshFolder(t)), CONDUCT_URL: url, CONDUCT_API_KEY: adminKey })
  const times = '--started-at 2026-01-31T09:30:00Z --ended-at 2026-01-31T09:33:20.400Z'
  await run(`run create --status completed ${times} --created-at 2026-01-31T09:30:00Z`)
  const span = '--created-after 2026-01-31T00:00:00Z --created-before 2026-02-01T00:00:00Z'
  assert.match(await run(`stats ${span}`), /^duration: runs 1, median 3m 20s, p90 3m 20s$/m)
  assert.equal(JSON.parse(await run(`stats ${span} --json`)).duration.medianMs, 200_400)
  await run('check create --run-id RUN-001 --result pass --duration-ms 850')
  assert.match(await run('check get CHECK-001'), /^duration: +850ms$/m)
})

test('unknown tokens and costs are not shown as zero', async (t) => {
  const { url } = await openServer(t)
  const { run } = programOf({ ...homeOf(freshFolder(t)), CONDUCT_URL: url, CONDUCT_API_KEY: adminKey })
  await run('run create --agent cursor')
  const unknown = await run('stats --by agent')
  assert.match(
    unknown,
    /^VALUE +RUNS +STATUS +VERDICT +TOKENS +USD +COSTED\ncursor +1 +.* — +— +0\ntotal +1 +.* — +— +0\n/,
  )
  await run('run create --agent codex --usage-output-tokens 7 --usage-cost-usd 0.5')
  const known = await run('stats --by agent')
  assert.match(known, /^codex .* 7 +0\.50 +1$/m)
  assert.match(known, /^cursor .* — +— +0$/m)
  assert.match(known, /^total +2 .* 7 +0\.50 +1$/m)
})
