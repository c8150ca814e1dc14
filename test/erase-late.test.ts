import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import sql from 'sql-template-tag'
import { placeIn, placeText } from '../src/removal/erase/place.ts'
import { documentOf } from './agents/documents.ts'
import { type Ledger, testLedger } from './support/engines.ts'
import { placesOf } from './support/erased.ts'

/** The place of an erasure that is done with runs and what belongs to them. */
const cursor = placeText({ ...placeIn(undefined), step: 'names' })

const secret = 'sk_live_Qx7Zt9'

async function send({ fetch }: Ledger, name: string, changes: object) {
  const body = JSON.stringify(documentOf('claude', name, { session_id: 's-1', ...changes }))
  const { status } = await fetch('/v1/hooks/claude', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  assert.equal(status, 204)
}

testLedger('a session that tells a text after its run is erased goes on without the text', async (ledger) => {
  const { client, store } = ledger
  await send(ledger, 'UserPromptSubmit', { prompt: `Use ${secret}.`, prompt_id: 'p-1' })
  const sessions = () =>
    store.db.query<{ memo: string; run_row: number; lease_hash: string; due_at: string }>(
      sql`select memo, run_row, lease_hash, due_at from hook_sessions`,
    )
  const [before] = await sessions()
  assert.match(before?.memo ?? '', new RegExp(secret))
  assert.equal((await client.erase({ text: secret, cursor })).erased.others, 1)
  assert.deepEqual(await sessions(), [{ ...before, memo: 'null' }])
  await send(ledger, 'Stop', { last_assistant_message: 'Used.' })
  await send(ledger, 'UserPromptSubmit', { prompt: 'Go on.', prompt_id: 'p-2' })
  const { runs } = await client.listRuns({})
  assert.equal(runs.length, 1)
  assert.equal((await client.getRun({ runId: 'RUN-001' })).run.turns.open?.prompt, 'Go on.')
})

testLedger('what a key records after the runs that it had are erased names it no more', async (ledger) => {
  const { client, as } = ledger
  const person = 'Ben Example <ben@corp.example>'
  const { key, secret: its } = await client.createKey({ name: 'ben', permissions: ['write'], person })
  await client.createRun({ runId: 'R', status: 'completed' })
  await as({ key: its }).createCheck({ runId: 'R', name: 'tests', result: 'pass' })
  await as({ key: its }).createRun({ runId: 'OWN' })
  assert.equal((await client.getRun({ runId: 'R' })).run.why, 'Checked by ben (independent)')
  const hashOfMail = hash('sha256', 'ben@corp.example').slice(0, 32)
  assert.ok((await placesOf(ledger, hashOfMail)).length > 0)
  await client.erase({ keyId: key.id, cursor })
  const { run } = await client.getRun({ runId: 'R' })
  assert.deepEqual([run.verdict, run.evidence, run.why], ['verified', 'independent', '[erased]'])
  assert.deepEqual(await placesOf(ledger, hashOfMail), [])
})
