import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import type { Client } from '../src/client/client.ts'
import { mayBeOneOf } from '../src/nouns/run/person.ts'
import { type Ledger, testLedger } from './support/engines.ts'
import { eraseAll, placesOf } from './support/erased.ts'
import { exportOf } from './support/exported.ts'

const mail = 'ben@corp.example'
const ben = `Ben Example <${mail}>`
const dora = 'Dora Example <dora@corp.example>'
const hashOfMail = hash('sha256', mail).slice(0, 32)

/** Two keys of Ben, one of Dora and one of a service. */
async function keysOf({ client, as }: Ledger) {
  const keyFor = async (name: string, person: string | null) =>
    as({ key: (await client.createKey({ name, permissions: ['write'], person })).secret })
  return {
    first: await keyFor('first', ben),
    second: await keyFor('second', ben),
    reviewer: await keyFor('reviewer', dora),
    ci: await keyFor('ci', null),
  }
}

/** Runs whose author, creator, writer or checker is Ben. */
async function fill(ledger: Ledger) {
  const keys = await keysOf(ledger)
  const { first, second, reviewer, ci } = keys
  await first.createRun({ runId: 'AUTHOR', title: 'a', author: ben, status: 'failed' })
  await first.createRun({ runId: 'CREATOR', title: 'b', status: 'completed' })
  await reviewer.createRun({ runId: 'WRITER', title: 'c', author: dora })
  await second.updateRun({ runId: 'WRITER', status: 'completed' })
  await ci.createRun({ runId: 'CHECKER', title: 'd', status: 'completed' })
  await reviewer.createRun({ runId: 'REVIEWED', title: 'e', author: dora, status: 'completed' })
  for (const runId of runIds) {
    for (const [name, key] of Object.entries(keys)) await key.createCheck({ runId, name, result: 'pass' })
  }
  return keys
}

const runIds = ['AUTHOR', 'CREATOR', 'WRITER', 'CHECKER', 'REVIEWED']

/** The verdict on each run, and how each of its checks is known. */
async function standingsOf(client: Client) {
  const all = runIds.map(async (runId) => {
    const { verdict, evidence } = (await client.getRun({ runId })).run
    const { checks } = await client.listChecks({ runId, order: 'asc' })
    return [runId, verdict, evidence, ...checks.map((check) => `${check.name} ${check.evidence}`)]
  })
  return Promise.all(all)
}

const found = async (client: Client, author: string) =>
  (await client.listRuns({ author, order: 'asc' })).runs.map(({ runId }) => runId)

testLedger('an erased person is found no more, and no guess of the address can be tested', async (ledger) => {
  const { client } = ledger
  const { first, second, reviewer, ci } = await fill(ledger)
  const before = await standingsOf(client)
  assert.ok((await placesOf(ledger, hashOfMail)).length > 0)
  assert.deepEqual(await found(reviewer, mail), ['AUTHOR'])
  const counted = await eraseAll(client, { text: mail, dryRun: true })
  assert.equal(counted.runs, 5)
  assert.deepEqual(await eraseAll(client, { text: mail }), counted)

  assert.deepEqual(await placesOf(ledger, hashOfMail), [])
  assert.deepEqual(await found(reviewer, mail), [])
  assert.deepEqual((await client.listAttention({ author: mail })).attention, [])
  assert.deepEqual(await found(reviewer, 'dora@corp.example'), ['WRITER', 'REVIEWED'])
  assert.deepEqual(await standingsOf(client), before)
  assert.equal((await eraseAll(client, { text: mail })).runs, 0)

  // An erasure makes no check independent that was not.
  for (const runId of ['AUTHOR', 'CREATOR', 'WRITER']) {
    const evidenceBy = async (key: Client) =>
      (await key.createCheck({ runId, name: 'again', result: 'pass' })).check.evidence
    assert.deepEqual([await evidenceBy(first), await evidenceBy(second)], ['self', 'self'], runId)
    assert.equal(await evidenceBy(ci), 'independent', runId)
  }
  const after = await standingsOf(client)
  assert.deepEqual(
    after.map((run) => run.filter((one) => !one?.startsWith('again'))),
    before,
  )
  await assert.rejects(second.listRuns({ mine: true }), { code: 'VALIDATION_ERROR' })
})

testLedger(
  'a person is erased from a run of which they are the author, creator, writer or checker alone',
  async (ledger) => {
    const { client } = ledger
    const { first, reviewer, ci } = await keysOf(ledger)
    await reviewer.createRun({ runId: 'AUTHOR', author: ben })
    await first.createRun({ runId: 'CREATOR', author: dora })
    for (const runId of ['WRITER', 'CHECKER']) await ci.createRun({ runId, author: dora })
    await first.updateRun({ runId: 'WRITER', status: 'completed' })
    await first.createCheck({ runId: 'CHECKER', name: 'tests', result: 'pass' })
    assert.equal((await eraseAll(client, { text: mail })).runs, 4)
    assert.deepEqual(await placesOf(ledger, hashOfMail), [])
  },
)

testLedger(
  'an erased run keeps no hash of a person, and its checks stay as independent as they were',
  async (ledger) => {
    const { client } = ledger
    const { second } = await fill(ledger)
    const before = await standingsOf(client)
    for (const runId of runIds) await eraseAll(client, { runId })
    assert.deepEqual(await placesOf(ledger, hashOfMail), [])
    assert.deepEqual(await found(client, mail), [])
    assert.deepEqual(await standingsOf(client), before)
    const { check } = await second.createCheck({ runId: 'AUTHOR', name: 'later', result: 'pass' })
    assert.equal(check.evidence, 'self', 'this person may be the author')
    await eraseAll(client, { runId: 'AUTHOR' })
    assert.equal((await client.getCheck({ checkId: check.checkId })).check.evidence, 'self')
    assert.deepEqual(await placesOf(ledger, hashOfMail), [])
  },
)

testLedger('what the creator of an erased run writes makes no check of others theirs', async (ledger) => {
  const { client } = ledger
  const { first, second, reviewer } = await keysOf(ledger)
  await first.createRun({ runId: 'R', title: 'a', status: 'in_progress' })
  await second.appendToRun({ runId: 'R', text: 'Second.\n' })
  await reviewer.createCheck({ runId: 'R', name: 'tests', result: 'pass' })
  await eraseAll(client, { runId: 'R' })
  for (const key of [first, second]) {
    await key.appendToRun({ runId: 'R', text: 'More.\n' })
    assert.equal((await client.getRun({ runId: 'R' })).run.evidence, 'independent')
  }
})

testLedger('a run keeps no hash of a person once its retention is over', async (ledger) => {
  const { client, advance } = ledger
  await fill(ledger)
  const before = await standingsOf(client)
  await client.updateProject({ slug: 'default', retention: { contentDays: 1 } })
  advance(3 * 86_400_000)
  while ((await client.forget({})).hasMore);
  assert.equal((await client.getRun({ runId: 'AUTHOR' })).run.author, '[erased]')
  assert.doesNotMatch(await exportOf(ledger.store, true), new RegExp(hashOfMail))
  assert.deepEqual(await found(client, mail), [])
  assert.deepEqual(await standingsOf(client), before)
})

testLedger('erasing the name of a person leaves what finds runs that still show the address', async (ledger) => {
  const { client } = ledger
  const { reviewer } = await keysOf(ledger)
  await client.createRun({ runId: 'NAMED', author: ben })
  await client.createRun({ runId: 'OTHER', author: `B. E. <${mail}>` })
  await eraseAll(client, { text: 'Ben Example' })
  assert.deepEqual(await found(reviewer, mail), ['OTHER'])
})

test('two persons may be the same unless both are known, or one was known to be another', () => {
  const cases: [string | null, (string | null)[], boolean][] = [
    ['ada', ['ada', null], true],
    ['ada', ['ben'], false],
    [null, ['[erased]'], false],
    ['ada', ['ben', '[erased]'], true],
    ['[erased]', ['ben'], true],
    ['[erased]', [null], false],
    ['[erased] other', ['[erased]', 'ben'], false],
  ]
  for (const [person, persons, expected] of cases) assert.equal(mayBeOneOf(person, persons), expected, `${person}`)
})

testLedger(
  'somebody whose key was erased is not independent of a run that another key of theirs writes',
  async (ledger) => {
    const { client, as } = ledger
    const { first, second, reviewer } = await keysOf(ledger)
    const { key, secret } = await client.createKey({ name: 'third', permissions: ['write'], person: ben })
    await reviewer.createRun({ runId: 'R', author: dora, status: 'in_progress' })
    await as({ key: secret }).createCheck({ runId: 'R', name: 'tests', result: 'pass' })
    assert.equal((await client.getRun({ runId: 'R' })).run.evidence, 'independent')
    await eraseAll(client, { keyId: key.id })
    await second.updateRun({ runId: 'R', status: 'completed', git: { commit: 'a'.repeat(40) } })
    assert.equal((await first.listChecks({ runId: 'R' })).checks[0]?.evidence, 'self')
  },
)
