import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createClient } from '../src/client/client.ts'
import { localActor } from '../src/contract/actor.ts'
import { type Code, ConductError, statusOf } from '../src/contract/error.ts'
import { names } from '../src/contract/paths.ts'
import type { Store } from '../src/operations/open.ts'
import { createApp } from '../src/server/app.ts'
import { size } from './proof/size.ts'
import { read } from './support/call.ts'
import { answerFault } from './support/described.ts'
import { base, type Engine, engines, openLedger } from './support/engines.ts'
import fc from './support/random.ts'
import { requestOf, rightShot, type Shot, shots } from './support/shots.ts'

const perEngine = size(200, 100_000)
/** Requests per operation, of which a minimum must succeed. */
const each = size(12, 24)

/** An app whose content limit is small, so that small bodies exceed it. */
const openApp = (store: Store) =>
  createApp({ store, rateLimit: 0, contentLimit: 4096, webhooks: { allow: ['localhost', '127.0.0.1', '::1'] } })
type App = ReturnType<typeof openApp>

const takesAway = /^(delete(Run|Spec|Check|Feature|Project)|unlinkFeature)$/

/** What stands in the way of a call where a random request has made the same, or leased the run. */
const inTheWay: readonly Code[] = ['CONFLICT', 'LEASE_HELD']

/** Creates, or creates again, what the random requests are likely to name. */
async function furnish(app: App, key: string) {
  for (const project of ['default', 'shop']) {
    const client = createClient({ url: base, key, project, fetch: (request) => app.fetch(request) })
    const calls = [
      () => createClient({ url: base, key, fetch: (request) => app.fetch(request) }).createProject({ slug: project }),
      () => client.createSpec({ specId: 'SPEC-001', content: '# Log in' }),
      () => client.updateSpec({ specId: 'SPEC-001', content: '# Log in with a passkey' }),
      () => client.createRun({ runId: 'RUN-001', specId: 'SPEC-001', content: '# Done' }),
      () => client.createCheck({ checkId: 'CHECK-001', runId: 'RUN-001', result: 'pass' }),
      () => client.appendTurn({ runId: 'RUN-001', n: 1, prompt: 'Do it.' }),
      () => client.linkFeatures({ runId: 'RUN-001', featureIds: [1, 2, 3, 4, 5, 6] }),
      () => client.createWebhook({ url: 'http://localhost:9/' }),
    ]
    for (const call of calls) {
      await call().catch((error) => {
        if (!(error instanceof ConductError && inTheWay.includes(error.code))) throw error
      })
    }
  }
}

/** Keys of several kinds. They are new each time, because random requests may have revoked the previous ones. */
async function newCallers(store: Store): Promise<[string, ...string[]]> {
  const app = createApp({ store, actor: localActor })
  const client = createClient({ url: base, fetch: (request) => app.fetch(request) })
  const person = 'Ada <ada@example.com>'
  const make = async (permission: 'admin' | 'agent' | 'read', project: string | null) =>
    (await client.createKey({ name: `${permission} of ${project}`, permissions: [permission], project, person })).secret
  await client.createProject({ slug: 'shop' }).catch(() => {})
  const server = await make('admin', null)
  return [server, server, server, await make('admin', 'shop'), await make('agent', null), await make('read', 'shop')]
}

/** Describes what is wrong with the response, or returns undefined. */
async function faultOf({ name }: Shot, response: Response): Promise<string | undefined> {
  const { status } = response
  const { text, body, headers } = await read(response)
  if (status >= 500) return `${status}: ${text}`
  if (/^text\/plain/.test(headers.get('content-type') ?? ''))
    return status === 200 ? undefined : `${status}: a plain text`
  const fault = answerFault(name, status, body)
  if (fault) return `${status}: ${fault}: ${text}`
  if (status < 400) return undefined
  if (statusOf[body.code as Code] !== status) return `${status} with the code ${body.code}`
  if (response.headers.get('x-request-id') !== body.requestId) return `another X-Request-Id than ${body.requestId}`
  return body.issues !== undefined && status !== 422 ? `issues with ${status}` : undefined
}

/** A ledger with data, and a function that sends a random request to it and asserts a documented response. */
async function openRange(t: TestContext, engine: Engine) {
  const { store } = await openLedger(t, engine)
  const app = openApp(store)
  let callers = await newCallers(store)
  await furnish(app, callers[0])
  return async (shot: Shot, caller: number): Promise<boolean> => {
    const response = await app.fetch(requestOf(shot, base, callers[caller % callers.length]))
    if (response.status === 401) callers = await newCallers(store)
    if (response.ok && takesAway.test(shot.name)) await furnish(app, callers[0])
    assert.equal(await faultOf(shot, response), undefined)
    return response.ok
  }
}

for (const engine of engines) {
  test(`any request gets a documented response (${engine.name}, ${perEngine})`, async (t) => {
    const send = await openRange(t, engine)
    let fine = 0
    const property = fc.asyncProperty(shots, async (shot) => {
      if (await send(shot, shot.caller)) fine++
    })
    await fc.assert(property, { numRuns: perEngine })
    t.diagnostic(`${fine} of ${perEngine} were carried out`)
    assert.ok(fine > perEngine / 4, `only ${fine} of ${perEngine} were carried out`)
  })

  test(`a good part of the valid requests of an admin to each operation succeed (${engine.name})`, async (t) => {
    const send = await openRange(t, engine)
    const samples = new Map(
      names.map((name, seed) => [name, fc.sample(rightShot(name), { numRuns: each, seed: 700 + seed })]),
    )
    const done = new Map(names.map((name) => [name, 0]))
    for (let n = 0; n < each; n++) {
      for (const [name, some] of samples) {
        const shot = some[n]
        if (shot && (await send(shot, 0))) done.set(name, (done.get(name) ?? 0) + 1)
      }
    }
    t.diagnostic(`of ${each} of each: ${[...done].map(([name, count]) => `${count} ${name}`).join(', ')}`)
    // createSession needs a secret, which no schema describes; a spec that is created again starts at another version;
    // deleteProject needs the name from an earlier request, and erase exactly one of four fields.
    const hardToHit = ['createSession', 'getSpecVersion', 'deleteProject', 'erase']
    const seldomDone = [...done].filter(([name, count]) => count < each / 8 && !hardToHit.includes(name))
    assert.deepEqual(seldomDone, [])
  })
}
