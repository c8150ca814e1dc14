import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inOrder } from '../../scripts/generate.ts'
import { exampleOf, planOf } from '../../src/cli/operation/plan.ts'
import { addressOf } from '../../src/contract/paths.ts'
import { csvPlanOf } from '../../src/operations/csv.ts'
import { exampleKey, routes } from '../../src/operations/routes.ts'
import { adminKey } from '../support/server.ts'
import { programOf } from './program.ts'
import { serverUser, testPlaces } from './user.ts'

test('every list shows each of its rows, as a table and as ids', async (t) => {
  const { env, ledger } = await serverUser(t)
  const { run, json } = programOf(env)
  const client = await ledger()
  await run('run create --run-id RUN-900 --agent ada')
  await run('run create --run-id RUN-901 --status failed')
  for (const name of inOrder.filter((name) => ['POST', 'GET'].includes(addressOf(name).method))) {
    const plan = planOf(name)
    const lists = csvPlanOf(name)
    // As a table, a search has a run once.
    if (!lists || plan.words.length === 0 || name === 'search') {
      const example = JSON.stringify(routes[name].example).replace(exampleKey, adminKey)
      await (client[name] as (input: unknown) => Promise<unknown>)(JSON.parse(example))
      continue
    }
    const words = exampleOf(plan, '-').replace(/^conduct /, '')
    const answer = await json(words)
    const length = lists.map(({ field }) => answer[field]).find(Array.isArray)?.length ?? 0
    assert.ok(length > 0, words)
    const table = await run(words)
    assert.ok(table.trimEnd().split('\n').length > length, `${words}\n${table}`)
    const ids = (await run(`${words} --quiet`)).trimEnd().split('\n')
    assert.deepEqual([ids.length, ids.includes('undefined')], [length, false], `${words}\n${ids}`)
  }
})

testPlaces('all events are listed once, in both orders', async ({ env, cwd }) => {
  const { run, all } = programOf(env, cwd)
  for (let n = 1; n <= 5; n++) await run('run create --agent me')
  const seqs = async (flags: string) => (await run(`events ${flags} --quiet`)).trim().split('\n').map(Number)
  const forwards = await seqs('--all')
  assert.ok(forwards.length >= 5, `${forwards}`)
  assert.deepEqual(await seqs('--all --limit 2'), forwards)
  assert.deepEqual(await seqs('--all --limit 2 --order desc'), forwards.toReversed())
  assert.deepEqual(await seqs('--all --limit 2 --order desc --after 2'), forwards.filter((seq) => seq > 2).toReversed())
  const newest = forwards.at(-1)
  assert.match(
    (await all('events --limit 1 --order desc')).stderr,
    new RegExp(`or --before ${newest} for the next page`),
  )
  assert.match((await all('events --limit 1')).stderr, new RegExp(`or --after ${forwards[0]} for the next page`))
})

testPlaces('adjoining months share no run and miss none, in lists and in statistics', async ({ env, cwd, ledger }) => {
  const client = await ledger()
  const here = { ...env, TZ: 'Europe/Berlin' }
  const { run, json } = programOf(here, cwd)
  const moments = [
    '2026-09-30T21:59:59.999Z',
    '2026-09-30T22:00:00Z',
    '2026-10-31T22:59:59.999Z',
    '2026-10-31T23:00:00Z',
  ]
  for (const [n, createdAt] of moments.entries()) {
    const runId = `R${n}`
    await client.createRun({ runId, createdAt, status: 'completed', endedAt: createdAt })
  }
  const months = ['2026-09-01', '2026-10-01', '2026-11-01', '2026-12-01']
  const wanted = ['R0', 'R2 R1', 'R3']
  for (const [at, runs] of wanted.entries()) {
    const span = (name: string) => `--${name}-after ${months[at]} --${name}-before ${months[at + 1]}`
    for (const name of ['created', 'ended'])
      assert.equal((await run(`run list ${span(name)} --quiet`)).trim().replace('\n', ' '), runs, span(name))
    assert.equal((await json(`stats ${span('created')}`)).total.runs, runs.split(' ').length)
  }
})

testPlaces('a list says how much of it is shown', async ({ env, cwd, ledger }) => {
  const client = await ledger()
  const { run, all } = programOf(env, cwd)
  await run('run create --agent me')
  const files = Array.from({ length: 120 }, (_, n) => ({
    path: `src/the  ${n}\u001b[31m.ts`,
    insertions: n,
    deletions: 0,
  }))
  await client.appendTurn({ runId: 'RUN-001', files, filesOmitted: 1_700, changes: { files: 1_820 } })
  const some = await all('run files RUN-001')
  assert.match(some.stdout, /^FILE +ADDED +DELETED\nsrc\/the 119\.ts +119 +0\n/)
  assert.match(
    some.stderr,
    /^Shown: 20 of 120\. There is more: use --all for everything, or --cursor \S+ for the next page\.\n1,700 more files changed, which no turn lists\.\n$/,
  )
  const every = await all('run files RUN-001 --all')
  assert.equal(every.stdout.trim().split('\n').length, 121)
  assert.equal(every.stderr, '1,700 more files changed, which no turn lists.\n')
  assert.match(await run('run files RUN-001 --limit 2 --quiet'), /^src\/the {2}119\.ts\nsrc\/the {2}118\.ts\n$/)
  for (const agent of ['ada', 'bob']) await run(`run create --agent ${agent}`)
  const values = await all('suggest --field agent --limit 2')
  assert.deepEqual(
    [values.stdout, values.stderr],
    ['VALUE\nada\nbob\n', 'Shown: 2; there are more. To see more: --limit 100\n'],
  )
  assert.equal((await all('suggest --field agent --all')).code, 2)
})
