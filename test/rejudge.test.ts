import assert from 'node:assert/strict'
import sql from 'sql-template-tag'
import { rejudgeNext } from '../src/nouns/run/check/rejudge.ts'
import { requireWhole } from './property/whole.ts'
import { type Ledger, testLedger } from './support/engines.ts'
import { openReceiver } from './support/receiver.ts'

const commit = '1'.repeat(40)
const [tree, other] = ['a', 'b'].map((digit) => digit.repeat(40)) as [string, string]

/** Makes all runs those of an earlier version, with the verdicts that it gave. */
async function asBefore({ store }: Ledger, verdicts: Record<string, [verdict: string, evidence: string | null]>) {
  await store.db.tx(async (tx) => {
    await tx.query(sql`update runs set judged = 0, why = null, author_person = null`)
    await tx.query(sql`update checks set recorder = null, result_person = null`)
    await tx.query(sql`update run_commits set made = 0, noted_at = null`)
    for (const [runId, [verdict, evidence]] of Object.entries(verdicts)) {
      await tx.query(sql`update runs set verdict = ${verdict}, evidence = ${evidence} where run_id = ${runId}`)
    }
  })
}

async function rejudgeAll({ store }: Ledger) {
  for (let n = 0; await rejudgeNext(store.db, new Date().toISOString()); n++) assert.ok(n < 9)
}

testLedger(
  'runs of an earlier version are judged again, each changed verdict with one event',
  async (ledger, t) => {
    const { client, as } = ledger
    const ci = as({ key: (await client.createKey({ name: 'ci', permissions: ['agent'] })).secret })
    const ran = { name: 'tests', command: 'npm test' } as const
    const pass = { ...ran, result: 'pass', exitCode: 0 } as const
    const turn = {
      commands: [
        { command: 'npm test', exitCode: 0 },
        { command: 'npm test', exitCode: 1 },
      ],
    }
    const runOf = async (runId: string, git = {}) => {
      await client.createRun({ runId, git: { commit, tree, dirty: false, ...git } })
      return runId
    }
    await client.createCheck({ runId: await runOf('SEEN'), ...pass, tree })
    await client.appendTurn({ runId: 'SEEN', ...turn })
    await client.createCheck({ runId: await runOf('UNSEEN'), ...pass, tree })
    await client.createCheck({
      runId: await runOf('EXEC'),
      ...pass,
      tree,
      contentType: 'text/x-terminal',
      durationMs: 9,
    })
    await client.createCheck({ runId: await runOf('CLAIMED'), ...ran, result: 'fail', exitCode: 1, tree })
    await client.appendTurn({ runId: 'CLAIMED', ...turn })
    await client.createCheck({ runId: 'CLAIMED', ...pass, command: null, exitCode: null, tree })
    await client.createCheck({ runId: await runOf('NO-TREE'), result: 'pass' })
    await client.createCheck({ runId: await runOf('ADDED', { tree: other }), ...pass, tree, commit, dirty: false })
    await ci.createCheck({ runId: await runOf('CI', { tree: other }), ...pass, tree, commit, dirty: false })
    await runOf('BARE')
    for (let n = 1; n <= 25; n++) await client.createRun({ runId: `MANY-${n}` })
    await asBefore(ledger, {
      ...{ SEEN: ['verified', 'executed'], UNSEEN: ['verified', 'executed'], EXEC: ['verified', 'executed'] },
      ...{ CLAIMED: ['verified', 'self'], 'NO-TREE': ['verified', 'self'], ADDED: ['verified', 'executed'] },
      CI: ['verified', 'independent'],
    })
    const receiver = await openReceiver(t)
    const log = await client.listEvents({ order: 'desc', limit: 1 })
    await client.createWebhook({ url: receiver.url, after: log.events[0]?.seq ?? 0 })
    await rejudgeAll(ledger)
    const changed = async () =>
      (await client.listEvents({ type: ['run.rejudged'] })).events.map(({ subject, actor, changes }) => [
        ...[subject, actor.kind, changes.verdict?.[1], changes.evidence?.[1], changes.why?.[1]],
      ])
    const expected = [
      ['UNSEEN', 'system', undefined, 'self', 'Claimed by its author'],
      ['CLAIMED', 'system', 'failing', 'executed', '`npm test` failed'],
      ['ADDED', 'system', 'stale', 'self', '`npm test` passed, as its author claims; it tested other files'],
    ]
    assert.deepEqual(await changed(), expected)
    const { runs } = await client.listRuns({ order: 'asc', limit: 8 })
    assert.deepEqual(
      runs.map(({ runId, verdict, evidence, rejudged }) => [runId, verdict, evidence, rejudged === true]),
      [
        ['SEEN', 'verified', 'executed', false],
        ['UNSEEN', 'verified', 'self', true],
        ['EXEC', 'verified', 'executed', false],
        ['CLAIMED', 'failing', 'executed', true],
        ['NO-TREE', 'verified', 'self', false],
        ['ADDED', 'stale', 'self', true],
        ['CI', 'verified', 'independent', false],
        ['BARE', 'unchecked', null, false],
      ],
    )
    await rejudgeAll(ledger)
    assert.deepEqual(await changed(), expected, 'once')
    await requireWhole(ledger.store.db)

    await client.updateRun({ runId: 'CLAIMED', git: { commit, tree, dirty: true } })
    assert.equal((await client.getRun({ runId: 'CLAIMED' })).run.rejudged, true, 'as failing as before')
    await client.createCheck({ runId: 'UNSEEN', ...pass, result: 'fail', exitCode: 1, tree })
    assert.equal((await client.getRun({ runId: 'UNSEEN' })).run.rejudged, undefined, 'news of the work')
    await client.createRun({ runId: 'LAST' })
    await receiver.until(() => receiver.events().at(-1)?.subject === 'LAST')
    assert.deepEqual(
      receiver.events().filter(({ type }) => type === 'run.rejudged'),
      [],
      'webhooks do not send it',
    )
  },
  { webhooks: { allow: ['127.0.0.1'] } },
)

testLedger('a change of a run of an earlier version judges it by what its turns show', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'A', git: { commit, tree } })
  await client.createCheck({ runId: 'A', name: 'tests', command: 'npm test', exitCode: 0, result: 'pass', tree })
  await client.appendTurn({ runId: 'A', commands: [{ command: 'npm test', exitCode: 0 }] })
  await asBefore(ledger, { A: ['verified', 'executed'] })
  const { run } = await client.updateRun({ runId: 'A', git: { commit, tree: other } })
  assert.deepEqual([run.verdict, run.evidence], ['stale', 'executed'])
  await rejudgeAll(ledger)
  assert.deepEqual((await client.listEvents({ type: ['run.rejudged'] })).events, [])
})
