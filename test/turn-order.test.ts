import assert from 'node:assert/strict'
import { localActor } from '../src/contract/actor.ts'
import { systemCtx } from '../src/frame/ctx.ts'
import { findProject } from '../src/frame/scope.ts'
import { operations } from '../src/operations/operations.ts'
import { testLedger } from './support/engines.ts'

testLedger('turns are listed in the order of their numbers, whichever request began first', async (ledger) => {
  const { client, store } = ledger
  const { id } = await findProject(store.db, 'default', null)
  const begun = store.now()
  const early = { ...systemCtx(store.db, begun, id, localActor), contentLimit: 1_000_000 }
  ledger.advance(60_000)
  await client.createRun({ runId: 'R', status: 'in_progress' })
  await client.appendTurn({ runId: 'R', prompt: 'One' })
  await operations.appendTurn(early, { runId: 'R', prompt: 'Two' })
  await operations.appendTurn(early, { runId: 'R', prompt: 'Three', open: true })
  const { turns } = await client.listTurns({ runId: 'R', order: 'asc' })
  assert.deepEqual(
    turns.map(({ n, prompt, open }) => [n, prompt, open]),
    [
      [1, 'One', undefined],
      [2, 'Two', undefined],
      [3, 'Three', true],
    ],
  )
  assert.equal(new Set(turns.map(({ createdAt }) => createdAt)).size, 1)
  await client.appendTurn({ runId: 'R', n: 3, prompt: 'Three' })
  const { turns: newest } = await client.listTurns({ runId: 'R', order: 'desc' })
  assert.deepEqual(
    newest.map(({ n }) => n),
    [3, 2, 1],
  )
})
