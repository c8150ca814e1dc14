import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client } from '../src/client/client.ts'
import type { Required } from '../src/contract/actor.ts'
import { addressOf, type Name, names } from '../src/contract/paths.ts'
import { type Permission, permissions } from '../src/contract/secret.ts'
import { exampleKey, type Route, routes } from '../src/operations/routes.ts'
import { rawCalls } from './support/call.ts'
import { type Ledger, testLedger } from './support/engines.ts'

/** The operations that each permission allows, according to the documentation. */
const may: Record<Permission, readonly Required[]> = {
  admin: ['none', 'read', 'agent', 'write', 'delete', 'admin'],
  delete: ['none', 'read', 'delete'],
  write: ['none', 'read', 'agent', 'write'],
  agent: ['none', 'read', 'agent'],
  read: ['none', 'read'],
}

/** The operations that no key of one project may run, whatever its permission. */
const serverOnly: Name[] = ['createProject', 'deleteProject', 'listLeaves']

interface Caller {
  kind: string
  key?: string
  /** Undefined for a caller that no permission helps. */
  held?: Permission
  project?: string
  /** Whether the caller created the targets itself. */
  own?: boolean
}

function expected(name: Name, { held, own, project }: Caller): number {
  const { permission, success = [200] }: Route = routes[name]
  if (permission === 'none') return success[0]
  if (!held) return 401
  const isForeign = permission === 'agent' && held === 'agent' && !own && addressOf(name).params.length > 0
  if (!may[held].includes(permission) || isForeign || (project && serverOnly.includes(name))) return 403
  return success[0]
}

async function callersOf({ client, advance }: Ledger): Promise<Caller[]> {
  await client.createProject({ slug: 'shop' })
  const make = (held: Permission, more = {}) => client.createKey({ name: held, permissions: [held], ...more })
  const keys = await Promise.all(
    permissions.map(async (held) => ({ kind: held, held, key: (await make(held)).secret })),
  )
  const agent = (await make('agent')).secret
  const projectAdmin = (await make('admin', { project: 'shop' })).secret
  const expired = (await make('admin', { expiresAt: new Date(Date.now() + 60_000).toISOString() })).secret
  const revoked = await make('admin')
  await client.revokeKey({ id: revoked.key.id })
  advance(61_000)
  return [
    ...keys,
    { kind: 'agent on its own', held: 'agent', key: agent, own: true },
    { kind: 'project admin', held: 'admin', key: projectAdmin, project: 'shop', own: true },
    { kind: 'expired', key: expired },
    { kind: 'revoked', key: revoked.secret },
    { kind: 'none' },
    { kind: 'malformed', key: 'sk_admin_short' },
    { kind: 'unknown', key: `sk_admin_${'x'.repeat(43)}` },
  ]
}

/** Creates the target of an address, by the beginning of its path. */
const makeTarget: Record<string, (owner: Client, n: number, project: string) => Promise<Record<string, unknown>>> = {
  '/v1/runs/:runId': async (owner, n) => {
    const { run } = await owner.createRun({ runId: `TARGET-${n}`, content: '# Log\n\nFirst lines.\n' })
    await owner.linkFeatures({ runId: run.runId, featureIds: [n] })
    const { turn } = await owner.appendTurn({ runId: run.runId, prompt: 'first' })
    return { runId: run.runId, featureId: n, n: turn.n }
  },
  '/v1/specs/:specId': async (owner, n) => {
    const { spec } = await owner.createSpec({ specId: `TARGET-${n}`, content: '# Plan\n' })
    await owner.createRun({ specId: spec.specId })
    return { specId: spec.specId, version: spec.version }
  },
  '/v1/checks/:checkId': async (owner, n) => {
    const { run } = await owner.createRun({ runId: `TARGET-${n}` })
    const { check } = await owner.createCheck({ checkId: `TARGET-${n}`, runId: run.runId, result: 'pass' })
    return { checkId: check.checkId }
  },
  '/v1/features/:id': async (owner, n) => ({ id: (await owner.createFeature({ name: `target ${n}` })).feature.id }),
  '/v1/auth/keys/:id': async (owner, n) => ({
    id: (await owner.createKey({ name: `target ${n}`, permissions: ['read'] })).key.id,
  }),
  '/v1/webhooks/:id': async (owner) => ({
    id: (await owner.createWebhook({ url: 'http://localhost:9/', types: ['run.deleted'] })).webhook.id,
  }),
  '/v1/projects/:slug': async (_owner, _n, slug) => ({ slug }),
}

/** A target that must exist although the address of the operation does not name it. */
const targetInBody: Partial<Record<Name, string>> = { createCheck: '/v1/runs/:runId' }

/** A valid input for the operation: its example, with a target that `owner` created, and with names that are free. */
async function inputOf(name: Name, owner: Client, n: number, project: string): Promise<Record<string, unknown>> {
  const { path } = addressOf(name)
  const example: Record<string, unknown> = { ...routes[name].example }
  const address = targetInBody[name] ?? path
  const targets: string[] = address.match(/(?<=:)\w+/g) ?? []
  if (targets.length > 0) {
    const prefix = Object.keys(makeTarget).find((prefix) => address.startsWith(prefix))
    if (!prefix) throw new Error(`No way to make a target of ${address}: add one to makeTarget.`)
    const target = await makeTarget[prefix]?.(owner, n, project)
    for (const field of targets) example[field] = target?.[field]
  }
  // Each call deletes its target, so the next one needs its own.
  if (name === 'deleteProject' && project === 'default') {
    const { project: target } = await owner.createProject({ slug: `target-${n}` })
    return { slug: target.slug, confirm: target.name }
  }
  // The run's next turn, whatever the number in the example.
  if (name === 'appendTurn') delete example.n
  const fresh: Record<string, string> = {
    runId: `NEW-${n}`,
    specId: `NEW-${n}`,
    checkId: `NEW-${n}`,
    slug: `new-${n}`,
    name: `new ${n}`,
  }
  for (const [field, value] of Object.entries(fresh)) {
    if (field in example && !targets.includes(field)) example[field] = value
  }
  return example
}

testLedger('every route accepts exactly the keys that its permission allows', async (ledger) => {
  const call = rawCalls(ledger.store)
  const callers = await callersOf(ledger)
  const wrong: string[] = []
  let n = 100
  for (const name of names) {
    for (const { kind, ...caller } of callers) {
      const { key, project = 'default', own } = caller
      // Only its creator may change a check.
      const isMaker = name === 'updateCheck' && ['admin', 'write', 'agent'].includes(kind)
      const owner = (own || isMaker) && key ? ledger.as({ key }) : ledger.as({ project })
      const needsAdmin = routes[name].permission === 'admin'
      const wanted = await inputOf(name, needsAdmin ? ledger.as({ project }) : owner, ++n, project)
      const input = JSON.parse(JSON.stringify(wanted).replace(exampleKey, ledger.adminKey))
      const { status, text } = await call(name, input, key === undefined ? {} : { key })
      const right = expected(name, { kind, ...caller, ...(isMaker && { own: true }) })
      if (status !== right) wrong.push(`${name} by ${kind}: ${status} instead of ${right}: ${text}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('a route without a permission does not compile', () => {
  const { permission: _, ...rest } = routes.me
  // @ts-expect-error: the permission is missing
  const route: Route = rest
  assert.equal(route.permission, undefined)
  for (const name of names) assert.ok(may.admin.includes(routes[name].permission), name)
})
