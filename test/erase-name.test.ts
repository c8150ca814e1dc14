import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { testLedger } from './support/engines.ts'
import { eraseAll } from './support/erased.ts'

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
