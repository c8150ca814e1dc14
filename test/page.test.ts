import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeCursor, encodeCursor } from '../src/frame/page.ts'
import { size } from './proof/size.ts'
import { type Ledger, testLedger } from './support/engines.ts'
import fc from './support/random.ts'

testLedger('a cursor and Link lead from page to page', async ({ client, fetch }) => {
  for (let n = 0; n < 5; n++) await client.createRun({ runId: `R${n}`, specId: 'S' })
  const seen: string[] = []
  let next: string | undefined = '/v1/runs?specId=S&limit=2'
  while (next) {
    const response = await fetch(next)
    const { runs, meta } = (await response.json()) as {
      runs: { runId: string }[]
      meta: { hasMore: boolean; nextCursor?: string }
    }
    seen.push(...runs.map(({ runId }) => runId))
    const link = /^<(?:\/conduct)(\S+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1]
    assert.equal(meta.hasMore, link !== undefined)
    if (link) assert.equal(new URLSearchParams(link.split('?')[1]).get('cursor'), meta.nextCursor)
    next = link
  }
  assert.deepEqual(seen, ['R4', 'R3', 'R2', 'R1', 'R0'])
})

testLedger('a cursor of the other order, or a malformed one, is refused', async ({ client, fetch }) => {
  for (let n = 0; n < 3; n++) await client.createRun({})
  const { meta } = await client.listRuns({ limit: 1 })
  await assert.rejects(client.listRuns({ order: 'asc', cursor: meta.nextCursor }), {
    code: 'BAD_REQUEST',
    message: /order=desc/,
  })
  for (const cursor of ['x', '', 'ZGVzYyAx', `${meta.nextCursor}A`]) {
    assert.equal((await fetch(`/v1/runs?cursor=${cursor}`)).status, 400, cursor)
  }
})

testLedger('a page of large turns or events ends early, and the next one goes on', async ({ client }) => {
  const { runId } = (await client.createRun({})).run
  assert.deepEqual(await client.listTurns({ runId }), { turns: [], meta: { hasMore: false } })
  const commands = Array.from({ length: 200 }, () => ({ command: 'x'.repeat(2000) }))
  for (let n = 1; n <= 25; n++) await client.appendTurn({ runId, n, prompt: 'Go on.', commands })
  for (const order of ['asc', 'desc'] as const) {
    const turns = await client.listTurns({ runId, limit: 100, order })
    assert.equal(turns.meta.hasMore, true)
    assert.ok(turns.turns.length >= 15 && turns.turns.length < 25, `${turns.turns.length} turns`)
    const others = await client.listTurns({ runId, limit: 100, order, cursor: turns.meta.nextCursor })
    const numbers = [...turns.turns, ...others.turns].map(({ n }) => n)
    const all = Array.from({ length: 25 }, (_, n) => n + 1)
    assert.deepEqual(numbers, order === 'asc' ? all : all.reverse())

    const type = ['turn.created'] as const
    const page = await client.listEvents({ type: [...type], limit: 100, order })
    assert.equal(page.meta.hasMore, true)
    assert.ok(page.events.length >= 15 && page.events.length < 25, `${page.events.length} events`)
    const on = order === 'asc' ? { after: page.meta.lastSeq } : { before: page.meta.lastSeq }
    const rest = await client.listEvents({ type: [...type], limit: 100, order, ...on })
    assert.equal(rest.meta.hasMore, false)
    assert.equal(new Set([...page.events, ...rest.events].map(({ seq }) => seq)).size, 25)
  }
})

/** Changes between two pages: runs to create, and runs to delete. */
interface Between {
  create: number
  remove: number[]
}

const rounds = fc.array(fc.record({ create: fc.nat(3), remove: fc.array(fc.nat(40), { maxLength: 3 }) }), {
  maxLength: 8,
})

testLedger(
  'a walk during inserts and deletes repeats no run, and misses none that exists throughout',
  async (ledger) => {
    const walks = size(5, 5000)
    await fc.assert(
      fc.asyncProperty(
        rounds,
        fc.constantFrom('asc' as const, 'desc' as const),
        fc.integer({ min: 1, max: 7 }),
        (between, order, limit) => walk(ledger, between, order, limit),
      ),
      { numRuns: walks },
    )
  },
)

async function walk({ client }: Ledger, between: Between[], order: 'asc' | 'desc', limit: number) {
  const label = `walk:${Math.random()}`
  const labels = { walk: label.slice('walk:'.length) }
  const create = async () => (await client.createRun({ labels })).run.runId
  const standing = new Set<string>()
  for (let n = 0; n < 12; n++) standing.add(await create())
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const { runs, meta } = await client.listRuns({ label: [label], order, limit, cursor })
    seen.push(...runs.map(({ runId }) => runId))
    cursor = meta.nextCursor
    const { create: more, remove } = between.shift() ?? { create: 0, remove: [] }
    for (let n = 0; n < more; n++) await create()
    for (const index of remove) {
      const runId = [...standing][index]
      if (runId && standing.delete(runId)) await client.deleteRun({ runId })
    }
  } while (cursor)
  assert.equal(new Set(seen).size, seen.length, 'nothing twice')
  assert.deepEqual(
    [...standing].filter((runId) => !seen.includes(runId)),
    [],
    'nothing missed',
  )
  for (const runId of standing) await client.deleteRun({ runId })
}

testLedger('any combination of filters finds the runs that match them all', async ({ client }) => {
  const all = Array.from({ length: 24 }, (_, n) => ({
    runId: `R${n}`,
    specId: `S${n % 3}`,
    agent: `agent-${n % 2}`,
    labels: { team: `t${n % 4}` },
    status: n % 5 < 2 ? ('completed' as const) : ('failed' as const),
    feature: (n % 6) + 1,
  }))
  for (const { feature, ...run } of all) {
    await client.createRun(run)
    await client.linkFeatures({ runId: run.runId, featureIds: [feature] })
  }
  const none = { specId: 'NONE', agent: 'nobody', label: ['team:none'], featureId: 99 }
  const some = { specId: 'S1', agent: 'agent-1', label: ['team:t3'], featureId: 2 }
  const more: { status?: ['completed']; verdict?: ['unchecked' | 'stale'] }[] = [
    {},
    { status: ['completed'] },
    { verdict: ['unchecked'] },
    { verdict: ['stale'] },
  ]
  for (let asked = 0; asked < 3 ** 4 * 2; asked++) {
    const filters: Partial<typeof some> = Object.fromEntries(
      Object.entries(some).flatMap(([field, value], place) => {
        const which = Math.floor(asked / 3 ** place) % 3
        return which === 0 ? [] : [[field, which === 1 ? value : none[field as keyof typeof none]]]
      }),
    )
    const { status, verdict } = more[asked % more.length] ?? {}
    const { runs } = await client.listRuns({
      ...filters,
      ...(status && { status }),
      ...(verdict && { verdict }),
      limit: 100,
    })
    const fits = all.filter(
      (run) =>
        (filters.specId ?? run.specId) === run.specId &&
        (filters.agent ?? run.agent) === run.agent &&
        (filters.label?.[0] ?? `team:${run.labels.team}`) === `team:${run.labels.team}` &&
        (filters.featureId ?? run.feature) === run.feature &&
        (status?.[0] ?? run.status) === run.status &&
        (verdict?.[0] ?? 'unchecked') === 'unchecked',
    )
    assert.deepEqual(
      runs.map(({ runId }) => runId),
      fits.map(({ runId }) => runId).reverse(),
      JSON.stringify({ ...filters, status, verdict }),
    )
  }
})

testLedger('a page distinguishes runs of one millisecond by their row', async (ledger) => {
  const made = await Promise.all(Array.from({ length: 9 }, () => ledger.client.createRun({})))
  const walked = await Array.fromAsync(ledger.client.all('listRuns', { limit: 2 }))
  assert.deepEqual(walked.map(({ id }) => id).sort(), made.map(({ run }) => run.id).sort())
})

test('a cursor encodes where a page ended, and any other text is refused', () => {
  fc.assert(
    fc.property(fc.constantFrom('asc' as const, 'desc' as const), fc.integer({ min: 1, max: 2 ** 50 }), (order, id) => {
      // Earlier versions stored years of six digits.
      for (const year of ['2026', '+010000', '-000001']) {
        const at = { createdAt: `${year}-01-31T09:30:00.000Z`, id }
        assert.deepEqual(decodeCursor(order, encodeCursor(order, at)), at)
      }
    }),
  )
  fc.assert(
    fc.property(fc.string(), (text) => assert.throws(() => decodeCursor('desc', text), { code: 'BAD_REQUEST' })),
  )
})
