import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createClient } from '../../src/client/client.ts'
import { localActor } from '../../src/contract/actor.ts'
import { addressOf, type Name, names } from '../../src/contract/paths.ts'
import { openStore } from '../../src/operations/open.ts'
import { createApp } from '../../src/server/app.ts'
import { seed, size } from '../proof/size.ts'
import { base, type Engine, engines, openLedger } from '../support/engines.ts'
import fc from '../support/random.ts'
import { requestOf, rightShot, type Shot } from '../support/shots.ts'

const isRead = (name: Name) => addressOf(name).method === 'GET'
/** Sessions need a secret, which no schema describes. */
const writes = names.filter((name) => !isRead(name) && !/Session|LoginCode/.test(name))
const pairsOfWrites = writes.flatMap((one, n) => writes.slice(n).map((other): [Name, Name] => [one, other]))
const pairs = [
  ...pairsOfWrites,
  ...writes.flatMap((one) => names.filter(isRead).map((read): [Name, Name] => [one, read])),
]
/**
 * On PostgreSQL, the races include every second pair of writes. On SQLite, where writes wait for each other, they
 * include every sixth pair. At full size, they include all of these pairs, and every pair of a write and a read, again and
 * again.
 */
const racesOn = (engine: Engine): [Name, Name][] => {
  const step = engine.name === 'sqlite' ? 6 : 2
  const count = size(Math.ceil(pairsOfWrites.length / step), 100_000)
  // Each round begins one pair later, so that all rounds together reach every pair.
  const at = (n: number) => n * step + Math.floor((n * step) / pairs.length)
  return Array.from({ length: count }, (_, n) => pairs[at(n) % pairs.length] as [Name, Name])
}

for (const engine of engines) {
  const races = racesOn(engine)
  test(`any two operations that race get a response, never a 5xx (${engine.name}, ${races.length})`, async (t) => {
    const { fetchFrom, furnish, newKey } = await openRange(t, engine)
    const faults: string[] = []
    let done = 0
    let isTaken = true
    for (const [n, [one, other]] of races.entries()) {
      if (isTaken) await furnish()
      isTaken = false
      const key = await newKey()
      // Each operation runs twice, once on each server.
      const answers = [...shotsOf(one, n), ...shotsOf(other, n)].map(async (shot, index) => {
        const response = await fetchFrom(index % 2, requestOf(shot, base, key))
        if (response.ok) done++
        if (response.ok && takesAway.test(shot.name)) isTaken = true
        const text = await response.text()
        if (response.status >= 500) faults.push(`${one} against ${other}: ${shot.name} ${response.status} ${text}`)
      })
      await Promise.all(answers)
    }
    assert.deepEqual(faults, [])
    t.diagnostic(`${done} of ${4 * races.length} were carried out`)
    assert.ok(done > races.length, `only ${done} of ${4 * races.length} were carried out`)
  })
}

const shotsOf = (name: Name, race: number): Shot[] => fc.sample(rightShot(name), { numRuns: 2, seed: seed + race })

/** Operations that remove targets of other requests. */
const takesAway = /^(delete|unlink|erase)/

/** Two servers on one ledger. `furnish` creates again what the requests are likely to name. */
async function openRange(t: TestContext, engine: Engine) {
  const ledger = await openLedger(t, engine)
  const other = await openStore(ledger.url)
  t.after(() => other.close())
  const servers = [ledger.store, other].map((store) => createApp({ store, rateLimit: 0 }))
  const fetchFrom = async (server: number, request: Request): Promise<Response> =>
    (servers[server] as (typeof servers)[0]).fetch(request)
  const local = createApp({ store: ledger.store, actor: localActor, rateLimit: 0 })
  const of = (project: string) => createClient({ url: base, project, fetch: (request) => local.fetch(request) })
  const client = of('default')
  const furnish = async () => {
    await client.createProject({ slug: 'shop' }).catch(() => {})
    for (const client of ['default', 'shop'].map(of)) {
      await Promise.allSettled([
        client.createSpec({ specId: 'SPEC-001', content: '# Log in' }),
        client.createRun({ runId: 'RUN-001', specId: 'SPEC-001', content: '# Done' }),
      ])
      await Promise.allSettled([
        client.createCheck({ checkId: 'CHECK-001', runId: 'RUN-001', result: 'pass' }),
        client.appendTurn({ runId: 'RUN-001', n: 1, prompt: 'Do it.' }),
        client.linkFeatures({ runId: 'RUN-001', featureIds: [1, 2, 3] }),
        client.createWebhook({ url: 'http://localhost:9/', types: ['run.created'] }),
      ])
    }
  }
  // An earlier race may have revoked its key.
  const newKey = async () => (await client.createKey({ name: 'racer', permissions: ['admin'] })).secret
  return { fetchFrom, furnish, newKey }
}
