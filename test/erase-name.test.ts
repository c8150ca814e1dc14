import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import type { Client } from '../src/client/client.ts'
import { sentencesNaming } from '../src/removal/erase/key.ts'
import { verify } from '../src/verify/verify.ts'
import { testLedger } from './support/engines.ts'
import { eraseAll, placesOf } from './support/erased.ts'
import { exportOf } from './support/exported.ts'

/** Names of which the number can be computed from the text alone. */
const guessed = (text: string) => `[erased] ${Number.parseInt(hash('sha256', text).slice(0, 11), 16)}`

testLedger('no guess of an erased path, check or command can be tested against what readers see', async (ledger) => {
  const { client } = ledger
  const path = 'customers/erika-mustermann.json'
  const change = { status: 'modified' as const, patch: '@@ -1 +1 @@\n-a\n+b\n' }
  const write = async (runId: string) => {
    await client.createRun({ runId, required: ['erika'] })
    await client.appendTurn({ runId, files: [{ path, insertions: 1 }] })
    await client.addDiffs({ runId, turn: 1, diffs: [{ path, change: { ...change, insertions: 1 } }] })
    await client.createCheck({ runId, name: 'erika', result: 'pass', command: 'test erika' })
  }
  const shownOf = async (runId: string) => {
    const { files } = await client.listRunFiles({ runId })
    const { turn } = await client.getTurn({ runId, n: 1 })
    const { files: diffs } = await client.getDiff({ runId })
    const { checks } = await client.listChecks({ runId })
    assert.deepEqual([turn.files?.[0]?.path, diffs[0]?.path], [files[0]?.path, files[0]?.path])
    return [files[0]?.path, checks[0]?.name, checks[0]?.command]
  }
  await write('R-1')
  await eraseAll(client, { text: 'erika' })
  const first = await shownOf('R-1')
  for (const name of first) assert.match(name ?? '', /^\[erased\] \d+$/)
  for (const [at, text] of [path, 'erika', 'test erika'].entries()) assert.notEqual(first[at], guessed(text))
  assert.deepEqual((await client.getRun({ runId: 'R-1' })).run.required, [first[1]])

  await write('R-2')
  await eraseAll(client, { runId: 'R-2' })
  assert.equal((await shownOf('R-2'))[0], first[0], 'the same path has the same number')
})

/** What any reader sees of the ledger's keys and events. */
const shownBy = async (client: Client) =>
  JSON.stringify([await client.listKeys(), await client.listEvents({ limit: 100 }), await client.listRuns()])

testLedger('a short name of a key is erased from all that it did, and the key gets another', async (ledger) => {
  const { client, as } = ledger
  const made = await client.createKey({
    ...{ name: 'ben', permissions: ['write'], person: 'B <b@corp.example>', machine: 'b-1' },
  })
  const { id } = made.key
  const byKey = as({ key: made.secret })
  await client.createRun({ runId: 'R', status: 'completed' })
  const { checkId } = (await byKey.createCheck({ runId: 'R', name: 'tests', result: 'pass' })).check
  await byKey.createRun({ runId: 'OWN' })
  await byKey.createCheck({ runId: 'OWN', name: 'tests', result: 'pass' })
  assert.equal((await client.getRun({ runId: 'R' })).run.why, 'Checked by ben (independent)')
  const hashOfMail = hash('sha256', 'b@corp.example').slice(0, 32)
  assert.ok((await placesOf(ledger, hashOfMail)).length > 0)
  await client.updateKey({ id, name: 'eva' })

  const counted = await eraseAll(client, { keyId: id, dryRun: true })
  assert.ok((await shownBy(client)).includes('"ben"'))
  const erased = await eraseAll(client, { keyId: id })
  assert.deepEqual(erased, counted)
  assert.deepEqual([erased.runs, erased.others], [2, 3])
  assert.doesNotMatch(await shownBy(client), /\b(ben|eva|corp|b-1)\b/)
  assert.doesNotMatch(await exportOf(ledger.store, true), /"(ben|eva|b-1)"|by ben|corp\.example/)
  assert.deepEqual(await placesOf(ledger, hashOfMail), [])
  assert.equal((await client.getCheck({ checkId })).check.createdBy.name, '[erased]')

  await client.updateKey({ id, name: 'k-3' })
  ledger.advance(10_000)
  assert.equal((await client.getCheck({ checkId })).check.createdBy.name, 'k-3')
  const { events } = await client.listEvents({ subject: 'OWN' })
  assert.ok(events.every(({ actor }) => actor.name === 'k-3'))
  const { run } = await client.getRun({ runId: 'R' })
  assert.deepEqual([run.verdict, run.evidence, run.why], ['verified', 'independent', '[erased]'])
  ledger.advance(61_000)
  assert.deepEqual((await verify(client, [])).faults, [])
  assert.equal((await eraseAll(client, { keyId: id })).others, 1, 'what it is called now')
  await assert.rejects(client.erase({ keyId: 9999 }), { code: 'NOT_FOUND' })
})

testLedger('an admin of one project erases only the names of its keys', async ({ client, as }) => {
  await client.createProject({ slug: 'shop' })
  const permissions = ['admin' as const]
  const shop = as({ key: (await client.createKey({ name: 'shop', permissions, project: 'shop' })).secret })
  const { key: own } = await shop.createKey({ name: 'ci', permissions })
  const { key: other } = await client.createKey({ name: 'ci', permissions })
  await assert.rejects(shop.erase({ keyId: other.id }), { code: 'NOT_FOUND' })
  await eraseAll(shop, { keyId: own.id })
  const nameOf = async (id: number) => (await client.listKeys()).keys.find((key) => key.id === id)?.name
  assert.deepEqual([await nameOf(own.id), await nameOf(other.id)], ['[erased]', 'ci'])
})

testLedger(
  'a key is renamed by another admin key, and all that it did shows the new name',
  async ({ client, as, advance }) => {
    const { key, secret } = await client.createKey({ name: 'ben', permissions: ['admin'] })
    const own = as({ key: secret })
    await own.createRun({ runId: 'R' })
    await assert.rejects(own.updateKey({ id: key.id, name: 'eve' }), { code: 'FORBIDDEN' })
    await assert.rejects(client.updateKey({ id: key.id, name: '' }), { code: 'VALIDATION_ERROR' })
    assert.equal((await client.updateKey({ id: key.id, name: 'laptop' })).key.name, 'laptop')
    advance(10_000)
    assert.equal((await client.getRun({ runId: 'R' })).run.createdBy.name, 'laptop')
    const { events } = await client.listEvents({ type: ['key.updated'] })
    assert.deepEqual(events[0]?.changes, { name: ['ben', 'laptop'] })
  },
)

test('a short name is found in a sentence as a word, not as a part of one', () => {
  const isNaming = sentencesNaming({ id: 3, projectId: null, actor: 3, names: ['ci', 'a-b (c)'] })
  assert.ok(isNaming('Checked by ci and ben (independent)', 'why'))
  assert.ok(isNaming('`tests` failed, says a-b (c) (independent)', 'why'))
  assert.ok(!isNaming('`specific` passed', 'why'))
  assert.ok(!isNaming('Checked by ci (independent)', 'title'))
})
