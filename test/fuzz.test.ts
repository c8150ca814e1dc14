import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createClient } from '../src/client/client.ts'
import { type Code, statusOf } from '../src/error.ts'
import { createApp } from '../src/http/app.ts'
import { localActor } from '../src/key.ts'
import type { Store } from '../src/store/open.ts'
import { answerFault } from './described.ts'
import { base, engines, openLedger } from './engines.ts'
import { requestOf, type Shot, shots } from './shots.ts'

const perEngine = process.env.CONDUCT_PROOF === 'full' ? 100_000 : 1_000

/** An app whose content limit is small, so that small bodies go over it. */
const openApp = (store: Store) => createApp({ store, rateLimit: 0, contentLimit: 4096 })

/** Keys of several kinds; new ones, since the shots may have revoked those before. */
async function newCallers(store: Store): Promise<string[]> {
  const app = createApp({ store, actor: localActor })
  const client = createClient({ url: base, fetch: (request) => app.fetch(request) })
  const make = async (permission: 'admin' | 'agent' | 'read', project: string | null) =>
    (await client.createKey({ name: `${permission} of ${project}`, permissions: [permission], project })).secret
  await client.createProject({ slug: 'shop' }).catch(() => {})
  const server = await make('admin', null)
  return [server, server, server, await make('admin', 'shop'), await make('agent', null), await make('read', 'shop')]
}

/** What is wrong with the answer to a shot; undefined when nothing is. */
async function faultOf({ name }: Shot, response: Response): Promise<string | undefined> {
  const { status } = response
  const text = await response.text()
  if (status >= 500) return `${status}: ${text}`
  const body = JSON.parse(text)
  const fault = answerFault(name, status, body)
  if (fault) return `${status}: ${fault}: ${text}`
  if (status < 400) return undefined
  if (statusOf[body.code as Code] !== status) return `${status} with the code ${body.code}`
  if (response.headers.get('x-request-id') !== body.requestId) return `another X-Request-Id than ${body.requestId}`
  return body.issues !== undefined && status !== 422 ? `issues with ${status}` : undefined
}

for (const engine of engines) {
  test(`any request is answered as documented (${engine.name}, ${perEngine})`, async (t) => {
    const { store } = await openLedger(t, engine)
    const app = openApp(store)
    let callers = await newCallers(store)
    let fine = 0
    const property = fc.asyncProperty(shots, async (shot) => {
      const key = callers[shot.caller % callers.length] as string
      const response = await app.fetch(requestOf(shot, base, key))
      if (response.ok) fine++
      if (response.status === 401) callers = await newCallers(store)
      assert.equal(await faultOf(shot, response), undefined)
    })
    const seed = process.env.CONDUCT_TEST_SEED
    await fc.assert(property, { numRuns: perEngine, ...(seed && { seed: Number(seed) }) })
    t.diagnostic(`${fine} of ${perEngine} were carried out`)
    assert.ok(fine > perEngine / 10, `only ${fine} of ${perEngine} were carried out`)
  })
}
