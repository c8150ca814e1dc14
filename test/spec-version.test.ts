import assert from 'node:assert/strict'
import { localActor } from '../src/contract/actor.ts'
import { systemCtx } from '../src/frame/ctx.ts'
import { findProject } from '../src/frame/scope.ts'
import { operations } from '../src/operations/operations.ts'
import { testLedger } from './support/engines.ts'

testLedger('a run has the last version of its spec, whichever request began last', async (ledger) => {
  const { client, store, advance } = ledger
  const versionOf = async (runId: string) => (await client.getRun({ runId })).run.specVersion
  const { id } = await findProject(store.db, 'default', null)
  await client.createRun({ runId: 'BEFORE', status: 'in_progress' })
  advance(60_000)
  await client.createSpec({ specId: 'S', content: 'one' })
  advance(60_000)
  const early = { ...systemCtx(store.db, store.now(), id, localActor), contentLimit: 1_000_000 }
  advance(60_000)
  await client.updateSpec({ specId: 'S', content: 'two' })
  const { spec } = await operations.updateSpec(early, { specId: 'S', content: 'three' })
  assert.equal(spec.version, 3)
  advance(60_000)
  await client.createRun({ runId: 'AFTER', specId: 'S', status: 'in_progress' })
  await client.createRun({ runId: 'WAITING', specId: 'S' })
  await client.updateRun({ runId: 'BEFORE', specId: 'S' })
  assert.deepEqual([await versionOf('AFTER'), await versionOf('WAITING'), await versionOf('BEFORE')], [3, 3, 1])
})
