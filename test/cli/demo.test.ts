import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../../src/client/client.ts'
import { statuses, verdicts } from '../../src/nouns/run/state.ts'
import { type Engine, engines } from '../support/engines.ts'
import { adminKey, openServer } from '../support/server.ts'
import { freshFolder, homeOf } from './folder.ts'
import { conductHere, programOf, start } from './program.ts'

const dayMs = 86_400_000

async function fresh(t: TestContext, engine: Engine) {
  const url = await engine.freshUrl(t)
  const { url: server } = await openServer(t, url)
  const env = { ...homeOf(freshFolder(t)), CONDUCT_DATABASE_URL: url }
  return { env, client: createClient({ url: server, key: adminKey, project: 'demo' }) }
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

for (const engine of engines) {
  test(`demo writes a month of a team's work while a server runs (${engine.name})`, async (t) => {
    const { env, client } = await fresh(t, engine)
    const told = await programOf(env).json('demo')
    const runs = await collected(client.all('listRuns', { order: 'asc', limit: 100 }))
    const specs = await collected(client.all('listSpecs', { limit: 100 }))
    const checks = await collected(client.all('listChecks', { limit: 100 }))
    const { features } = await client.listFeatures({ limit: 100 })
    assert.deepEqual(
      [told.project, told.runs, told.specs, told.checks, told.features],
      ['demo', runs.length, specs.length, checks.length, features.length],
    )
    assert.ok(runs.length > 140 && runs.length < 170, `${runs.length} runs`)
    assert.equal(specs.length, 20)

    assert.deepEqual(new Set(runs.map(({ status }) => status)), new Set(statuses))
    assert.deepEqual(new Set(runs.map(({ verdict }) => verdict)), new Set(verdicts))
    assert.deepEqual(new Set(runs.map(({ evidence }) => evidence)), new Set([null, 'self', 'executed', 'independent']))
    assert.deepEqual(new Set(runs.map(({ agent }) => agent)), new Set([null, 'claude-code', 'codex', 'cursor', 'ci']))
    assert.deepEqual(
      new Set(specs.map(({ status }) => status)),
      new Set(['draft', 'in_progress', 'completed', 'archived']),
    )
    assert.ok(runs.some(({ failure }) => failure?.code === 'LEASE_EXPIRED'))
    assert.ok(runs.some(({ attempt }) => attempt === 3))
    assert.ok(new Set(checks.map(({ name }) => name)).size >= 5)

    const oldest = Date.now() - Date.parse(runs[0]?.createdAt ?? '')
    assert.ok(oldest > 28 * dayMs && oldest < 31 * dayMs, `the oldest is ${oldest} ms old`)
    const numbers = runs.map(({ runId }) => Number(runId.slice('RUN-'.length)))
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      'ids go with time',
    )
    for (const { runId, createdAt, endedAt } of runs) {
      assert.ok(Date.parse(createdAt) < Date.now() && Date.parse(endedAt ?? createdAt) < Date.now(), runId)
    }

    assert.ok(runs.some(({ contentType }) => contentType === 'text/x-terminal'))
    assert.deepEqual(runs.flatMap(({ activity }) => activity?.state ?? []).sort(), [
      'waiting',
      'waiting',
      'working',
      'working',
    ])
    const live = runs.filter(({ status }) => status === 'in_progress')
    assert.deepEqual(
      live.map(({ runId }) => runId),
      told.live,
    )
    for (const { leaseExpiresAt } of live)
      assert.ok(Date.parse(leaseExpiresAt ?? '') > Date.now() + 4 * 3600_000, String(leaseExpiresAt))

    const needs = await Promise.all(
      (['open', 'put-off', 'resolved'] as const).map(async (state) => {
        const { attention = [] } = await client.listAttention({ state })
        return attention.map(({ reason, assignee }) => ({ reason, assignee }))
      }),
    )
    const yuki = 'Yuki Tanaka <yuki@harbor.example>'
    assert.deepEqual(needs, [
      [
        { reason: 'failing', assignee: null },
        { reason: 'failing', assignee: null },
        { reason: 'failing', assignee: yuki },
      ],
      [{ reason: 'failed', assignee: null }],
      [{ reason: 'vanished', assignee: null }],
    ])

    const { total } = await client.stats({ createdAfter: new Date(Date.now() - 40 * dayMs).toISOString() })
    assert.equal(total.runs, runs.length)
    const cost = runs.reduce((sum, { usage }) => sum + (usage?.costUsd ?? 0), 0)
    assert.ok(Math.abs((total.costUsd ?? 0) - cost) < 0.001 && cost > 50, `${total.costUsd} and ${cost}`)
    const [{ versions }, { spec }] = await Promise.all([
      client.listSpecVersions({ specId: 'AUTH-001' }),
      client.getSpec({ specId: 'AUTH-001' }),
    ])
    const finished = runs.findLast(({ status, agent }) => status === 'completed' && agent === 'codex')
    const { run } = await client.getRun({ runId: finished?.runId ?? '' })
    const { files } = await client.getDiff({ runId: run.runId })
    assert.equal(files.length, 3)
    for (const { path, insertions, deletions, patch = '' } of files) {
      assert.ok(run.turns.last?.answer?.includes(`| \`${path}\` | +${insertions} |`), `${path} +${insertions}`)
      assert.deepEqual([patch.match(/^\+/gm)?.length ?? 0, patch.match(/^-/gm)?.length ?? 0], [insertions, deletions])
    }
    assert.equal(versions.length, 1 + spec.checklist.done)
    assert.ok(spec.totals.runs > spec.checklist.total && spec.totals.attempts > 0)
  })

  test(`demo does not write into a project that has runs or specs (${engine.name})`, async (t) => {
    const env = { ...homeOf(freshFolder(t)), CONDUCT_DATABASE_URL: await engine.freshUrl(t) }
    const { run, json } = programOf(env)
    await run('spec create --project demo --title Ours')
    const { code, stderr, stdout } = await conductHere(['demo'], env)
    assert.equal(code, 5, stderr)
    assert.match(stderr, /'demo' already has runs or specs.*conduct demo --project demo-2/s)
    assert.equal(stdout, '')
    assert.deepEqual((await json('run list --project demo')).runs, [])
  })
}

test('demo writes the same each time, also into another project', async (t) => {
  const [sqlite] = engines as [Engine]
  const tell = async (project: string, words: string) => {
    const env = { ...homeOf(freshFolder(t)), CONDUCT_DATABASE_URL: await sqlite.freshUrl(t) }
    const { run } = programOf(env)
    assert.equal(await run(words), `${project}\n`)
    const lines = (await run(`run list --project ${project} --all --json`)).trim().split('\n')
    const runs = lines.map((line) => JSON.parse(line))
    assert.deepEqual(new Set(runs.map((run) => run.project)), new Set([project]))
    return [
      runs.map(
        ({ project, createdAt, updatedAt, startedAt, endedAt, leaseExpiresAt, lastSeenAt, activity, ...run }) => run,
      ),
      await run(`run content RUN-146 --project ${project}`),
    ]
  }
  const first = await tell('demo', 'demo --quiet')
  assert.deepEqual(await tell('demo-2', 'demo --project demo-2 --quiet'), first)
})

test('with --live the runs continue until Ctrl-C, except one that somebody ends', async (t) => {
  const [sqlite] = engines as [Engine]
  const { env, client } = await fresh(t, sqlite)
  const { child, ran } = start(['demo', '--live', '--json'], env)
  t.after(() => child.kill('SIGKILL'))
  const [text] = await once(child.stdout as NodeJS.ReadableStream, 'data')
  const { live } = JSON.parse(String(text)) as { live: string[] }
  const [ended, ...others] = live as [string, ...string[]]
  let told = ''
  child.stderr?.on('data', (piece) => {
    told += piece
  })
  await client.updateRun({ runId: ended, status: 'failed' })
  const seen = new Set<string>()
  for await (const { type, subject, changes } of client.follow({ type: ['run.updated'] })) {
    if (type === 'run.updated' && changes.content && subject !== ended) seen.add(String(subject))
    if (seen.size === others.length) break
  }
  assert.deepEqual([...seen].sort(), others.sort())
  while (!told.includes('No more of')) await sleep(20)
  child.kill('SIGINT')
  const { code, stderr } = await ran
  assert.equal(code, 130, stderr)
  assert.match(stderr, new RegExp(`No more of ${ended}`))
  assert.equal((await client.getRun({ runId: ended })).run.failure?.code, 'CANCELLED')
})

test("demo refuses a server, because it cannot set the server's clock", async (t) => {
  const env = { ...homeOf(freshFolder(t)), CONDUCT_URL: 'http://127.0.0.1:1/conduct' }
  const { code, stderr } = await conductHere(['demo'], env)
  assert.equal(code, 2)
  assert.match(stderr, /http:\/\/127\.0\.0\.1:1\/conduct is a server.*conduct demo --profile local/)
})
