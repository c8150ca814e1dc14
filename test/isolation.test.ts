import assert from 'node:assert/strict'
import { addressOf, type Name, names } from '../src/contract/paths.ts'
import type { Run } from '../src/nouns/run/fields.ts'
import { openStore } from '../src/operations/open.ts'
import { routes } from '../src/operations/routes.ts'
import { type Answer, rawCalls } from './support/call.ts'
import { type Ledger, testLedger } from './support/engines.ts'

/** A word in everything that the other project contains. */
const mark = 'elsewhere'

/** A word in both projects. */
const everywhere = 'everywhere'

/** Two projects: `default`, in which everything contains the mark, and `shop`, to which the key belongs. */
async function twoProjects({ client, as }: Ledger) {
  await client.createProject({ slug: 'shop' })
  await client.createSpec({ specId: mark, title: mark, content: mark })
  const { run } = await client.createRun({
    runId: mark,
    title: mark,
    specId: mark,
    agent: mark,
    labels: { mark },
    content: `${mark} ${everywhere}`,
  })
  await client.appendTurn({ runId: run.runId, prompt: `${mark} ${everywhere}`, answer: mark })
  await client.createCheck({ checkId: mark, runId: run.runId, name: mark, result: 'pass', content: mark })
  await client.createRun({ specId: mark, status: 'failed' })
  await client.linkFeatures({ runId: run.runId, features: [{ name: mark, file: mark }], featureIds: [4242] })
  await client.updateProject({ slug: 'default', name: mark })
  const { key: foreign } = await client.createKey({ name: mark, permissions: ['read'] })
  await client.createWebhook({ url: `http://${mark}.localhost/`, types: ['run.deleted'] })
  const { secret } = await client.createKey({ name: 'shop admin', permissions: ['admin'], project: 'shop' })
  const shop = as({ key: secret })
  await shop.createSpec({ specId: 'HERE' })
  await shop.createRun({ runId: 'HERE', specId: 'HERE', content: everywhere })
  await shop.createRun({ specId: 'HERE', status: 'failed' })
  await shop.createCheck({ checkId: 'HERE', runId: 'HERE', result: 'pass' })
  return { secret, shop, foreign }
}

/** The part of a response that does not differ between requests. */
function told({ status, body }: Answer) {
  const { requestId: _, ...rest } = body
  return { status, rest }
}

const addressed = names.filter((name) => addressOf(name).params.length > 0)
const lists = names.filter((name) => 'meta' in routes[name].output.shape && addressOf(name).params.length === 0)
const acrossProjects = lists.filter((name) => 'project' in routes[name].input.shape)

/** Input for a list with which it finds something in every project. */
const asked = (name: Name) => (name === 'search' ? { q: everywhere } : name === 'suggest' ? { field: 'agent' } : {})

/** The whole log, which only admins of the server may list. */
const ofServer: Name[] = ['listLeaves']

/** The runs of a spec are listed by its name, whether or not a spec of that name is registered. */
const openNamed: Name[] = ['listSpecRuns']

testLedger(
  'a request for something in another project gets the same response as for something that does not exist',
  async (ledger) => {
    const { secret, foreign } = await twoProjects(ledger)
    const call = rawCalls(ledger.store)
    const there: Record<string, unknown> = {
      runId: mark,
      specId: mark,
      version: 1,
      n: 1,
      checkId: mark,
      featureId: 4242,
      slug: 'default',
    }
    const nowhere: Record<string, unknown> = {
      runId: 'nowhere',
      specId: 'nowhere',
      version: 1,
      n: 1,
      checkId: 'nowhere',
      featureId: 4243,
      slug: 'missing',
    }
    for (const name of addressed) {
      const { path } = addressOf(name)
      const own = path.startsWith('/v1/auth/keys') ? foreign.id : path.startsWith('/v1/webhooks') ? 1 : 4242
      const found = await call(name, targeted(name, { ...there, id: own }), { key: secret })
      const missed = await call(name, targeted(name, { ...nowhere, id: 4243 }), { key: secret })
      assert.equal(found.status, openNamed.includes(name) ? 200 : 404, `${name}: ${found.text}`)
      assert.ok(!found.text.includes(everywhere), `${name}: ${found.text}`)
      const words = (text: string) => text.replace(/\b(elsewhere|default|nowhere|missing|424[23])\b/g, '#')
      const id = new RegExp(`(key ${foreign.id}|webhook 1)\\b`, 'g')
      assert.equal(
        words(JSON.stringify(told(found)).replace(id, (said) => said.replace(/\d+/, '#'))),
        words(JSON.stringify(told(missed))),
        name,
      )
    }
  },
)

/** The example of an operation, with other values of its path. */
function targeted(name: Name, target: Record<string, unknown>) {
  const params = addressOf(name).params.map((param) => [param, target[param]])
  return { ...routes[name].example, ...Object.fromEntries(params) }
}

testLedger(
  'a body that names something in another project gets the same response as one that names nothing',
  async (ledger) => {
    const { secret } = await twoProjects(ledger)
    const call = rawCalls(ledger.store)
    const naming: [Name, (id: string) => object][] = [
      ['createRun', (retryOf) => ({ retryOf })],
      ['createCheck', (runId) => ({ runId, result: 'pass' })],
      ['updateAttention', (runId) => ({ runIds: [runId], note: mark })],
    ]
    for (const [name, input] of naming) {
      const found = await call(name, input(mark), { key: secret })
      const missed = await call(name, input('nowhere'), { key: secret })
      assert.equal(found.status, 404, `${name}: ${found.text}`)
      assert.deepEqual(told(found), told({ ...missed, body: renamed(missed, 'nowhere', mark) }), name)
    }
    const { body } = await call('createRun', { specId: mark }, { key: secret })
    assert.equal((body.run as Run).specVersion, null, 'the spec of that name is of the other project')
    assert.deepEqual((await call('listChecks', { runId: mark }, { key: secret })).body.checks, [])
  },
)

testLedger('naming another project gets the same response as naming one that does not exist', async (ledger) => {
  const { secret } = await twoProjects(ledger)
  const call = rawCalls(ledger.store)
  for (const name of names.filter((name) => routes[name].permission !== 'none')) {
    const input = routes[name].example
    const [other, missing] = await Promise.all([
      call(name, input, { key: secret, project: 'default' }),
      call(name, input, { key: secret, project: 'missing' }),
    ])
    // A new project cannot exist yet, so that operation does not look for it.
    assert.equal(other.status, name === 'createProject' ? 403 : 404, `${name}: ${other.text}`)
    assert.deepEqual(told(other), told({ ...missing, body: renamed(missing, 'missing', 'default') }), name)
  }
  for (const name of acrossProjects) {
    const [other, missing] = await Promise.all([
      call(name, { ...asked(name), project: ['default'] }, { key: secret }),
      call(name, { ...asked(name), project: ['missing'] }, { key: secret }),
    ])
    assert.equal(other.status, 404, `${name}: ${other.text}`)
    assert.deepEqual(told(other), told({ ...missing, body: renamed(missing, 'missing', 'default') }), name)
  }
})

const renamed = ({ text }: Answer, from: string, to: string) => JSON.parse(text.replaceAll(`'${from}'`, `'${to}'`))

testLedger('no list for a project key shows anything of another project', async (ledger) => {
  const { secret } = await twoProjects(ledger)
  const call = rawCalls(ledger.store)
  for (const name of lists) {
    const { status, text } = await call(name, asked(name), { key: secret })
    assert.equal(status, ofServer.includes(name) ? 403 : 200, name)
    assert.ok(!text.includes(mark), `${name}: ${text}`)
    assert.ok(
      (await call(name, asked(name), { key: ledger.adminKey })).text.includes(mark),
      `${name} shows nothing to anybody`,
    )
  }
})

testLedger('a server key lists all projects, those that it names, or the one in which it acts', async (ledger) => {
  await twoProjects(ledger)
  const key = ledger.adminKey
  const call = rawCalls(ledger.store)
  // A suggestion does not name its project; test/suggest.test.ts covers it.
  for (const name of acrossProjects.filter((name) => name !== 'suggest')) {
    const projects = async (input: object, project?: string) => {
      const { body, text } = await call(
        name,
        { ...asked(name), ...input },
        { key, ...(project !== undefined && { project }) },
      )
      const rows = Object.values(body).find(Array.isArray)
      assert.ok(rows, `${name}: ${text}`)
      return [...new Set(rows.map((row) => row.project))].filter(Boolean).sort()
    }
    const inShop = name === 'listFeatures' ? [] : ['shop']
    assert.deepEqual(await projects({}), ['default', ...inShop], name)
    assert.deepEqual(await projects({ project: ['shop'] }), inShop, name)
    assert.deepEqual(await projects({ project: ['shop', 'default'] }), ['default', ...inShop], name)
    assert.deepEqual(await projects({}, 'shop'), inShop, name)
    assert.deepEqual(await projects({ project: ['shop'] }, 'shop'), inShop, name)
    const both = await call(name, { ...asked(name), project: ['default'] }, { key, project: 'shop' })
    assert.equal(both.status, 422, `${name}: two projects that contradict each other`)
  }
})

testLedger('a project admin can administer its project, and nothing else', async (ledger) => {
  const { shop } = await twoProjects(ledger)
  const { key } = await shop.createKey({ name: 'of the shop', permissions: ['admin'] })
  assert.equal(key.project, 'shop')
  await shop.updateProject({ slug: 'shop', name: 'Shop' })
  await shop.revokeKey({ id: key.id })
  const make = (project: string | null) => shop.createKey({ name: 'more', permissions: ['read'], project })
  await assert.rejects(make(null), { code: 'FORBIDDEN' })
  await assert.rejects(make('default'), { code: 'NOT_FOUND' })
  await assert.rejects(shop.createProject({ slug: 'another' }), { code: 'FORBIDDEN' })
  const { events } = await shop.listEvents({})
  assert.deepEqual(
    [...new Set(events.map(({ type }) => type))],
    ['spec.created', 'run.created', 'attention.created', 'check.created', 'run.updated'],
  )
})

testLedger('every server refuses a revoked key from the next request on', async (ledger) => {
  await using other = await openStore(ledger.url)
  const servers = [rawCalls(ledger.store), rawCalls(other)]
  const { key, secret } = await ledger.client.createKey({ name: 'short-lived', permissions: ['write'] })
  for (const call of servers) assert.equal((await call('me', {}, { key: secret })).status, 200)
  await ledger.client.revokeKey({ id: key.id })
  for (const call of servers) assert.equal((await call('me', {}, { key: secret })).status, 401)
})
