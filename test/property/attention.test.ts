import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  enters,
  type Looked,
  mendedBy,
  outweighs,
  type Reason,
  reasonOf,
  sinceOf,
} from '../../src/nouns/run/attention/rule.ts'
import { reap } from '../../src/nouns/run/take-lease.ts'
import { size } from '../proof/size.ts'
import { engines, withLedger } from '../support/engines.ts'
import fc from '../support/random.ts'
import { carryOut, type Deed, history } from './deeds.ts'
import { attentionOf, type Event, logOf } from './replayed.ts'

const histories = size(12, 1500)

interface Known extends Looked {
  evidence: 'self' | 'executed' | 'independent' | null
  id: number
  runId: string
  specId: string | null
  branch: string | undefined
  retryOf: number | undefined
  createdAt: string
}

const isAfter = (one: Known, other: Known) =>
  one.createdAt > other.createdAt || (one.createdAt === other.createdAt && one.id > other.id)
const isSameTask = (one: Known, other: Known) =>
  (Boolean(one.branch) && one.branch === other.branch) || (one.specId !== null && one.specId === other.specId)

/** The runs that need attention, by the rule and a scan of all runs after each event of a run. */
function scanned(log: Event[]): Map<number, Reason> {
  const runs = new Map<number, Known>()
  const needs = new Map<number, Reason>()
  const idOf = (runId: unknown) => [...runs.values()].find((run) => run.runId === runId)?.id

  function next(event: Event, before: Known | undefined): Known {
    const told = (field: string, otherwise: unknown) => (event.changes[field] ? event.changes[field][1] : otherwise)
    const git = told('git', { branch: before?.branch }) as { branch?: string } | null
    const failure = told('failure', before && { code: before.failureCode }) as { code?: string } | null
    return {
      ...{ id: event.subjectId, runId: event.subject, createdAt: before?.createdAt ?? event.at },
      status: told('status', before?.status ?? 'pending') as Known['status'],
      verdict: (told('verdict', before?.verdict) ?? 'unchecked') as Known['verdict'],
      failureCode: failure?.code,
      why: told('why', before?.why ?? null) as string | null,
      evidence: told('evidence', before?.evidence ?? null) as Known['evidence'],
      ...{ isRejudged: false, isWorking: false },
      endedAt: told('endedAt', before?.endedAt ?? null) as string | null,
      specId: told('specId', before?.specId ?? null) as string | null,
      branch: git?.branch,
      retryOf: event.changes.retryOf ? idOf(event.changes.retryOf[1]) : before?.retryOf,
    }
  }

  const isMendedBy = (good: Known, run: Known, reason: Reason) =>
    mendedBy(good).includes(reason) && (reason !== 'failing' || outweighs(good, run))

  const isMended = (run: Known, reason: Reason, since: string) =>
    [...runs.values()].some(
      (other) =>
        isMendedBy(other, run, reason) &&
        (other.endedAt ?? '') >= since &&
        (other.retryOf === run.id || (isAfter(other, run) && isSameTask(other, run))),
    )

  function retried(run: Known): Set<number> {
    const chain = new Set<number>()
    for (let at = run.retryOf; at !== undefined; at = runs.get(at)?.retryOf) chain.add(at)
    return chain
  }

  for (const event of log) {
    if (!event.type.startsWith('run.')) continue
    const id = event.subjectId
    if (event.type === 'run.deleted') {
      runs.delete(id)
      needs.delete(id)
      continue
    }
    const before = runs.get(id)
    const run = next(event, before)
    runs.set(id, run)
    const reason = reasonOf(run)
    const since = sinceOf(before, run, event.at)
    // All deeds are those of one caller.
    const isOwnCancel = run.failureCode === 'CANCELLED' && run.status === 'failed' && before?.status !== 'failed'
    if (reason === undefined || isOwnCancel) needs.delete(id)
    else if (needs.has(id)) needs.set(id, reason)
    else if (enters(before, run, event.at) && !(since < event.at && isMended(run, reason, since))) needs.set(id, reason)
    const isMoved = ['status', 'verdict', 'evidence', 'specId', 'git'].some((field) => field in event.changes)
    if (!isMoved) continue
    const chain = retried(run)
    for (const [otherId, why] of needs) {
      const other = runs.get(otherId) as Known
      const isEarlier = chain.has(otherId) || (isAfter(run, other) && isSameTask(run, other))
      if (isEarlier && isMendedBy(run, other, why)) needs.delete(otherId)
    }
  }
  return needs
}

for (const engine of engines) {
  test(`the runs that need attention are those that a scan by the rule gives (${engine.name})`, async () => {
    let most = 0
    const property = fc.asyncProperty(history, (deeds: Deed[]) =>
      withLedger(engine, async (ledger) => {
        // A branch that is erased is no longer known.
        for (const one of deeds) if (one.call !== 'erase' && one.call !== 'forget') await carryOut(ledger, one)
        // The shortest leases last ten seconds.
        ledger.advance(10_001)
        while (await reap(ledger.store.db, ledger.store.now()));
        const rows = await attentionOf(ledger.client)
        const needs = scanned(await logOf(ledger.client))
        // A run whose agent works is not listed, which the log does not say.
        const { runs } = await ledger.client.listRuns({ limit: 100 })
        for (const { id, activity } of runs) if (activity?.state === 'working') needs.delete(id)
        assert.deepEqual(
          new Map(rows.map(({ id, reason }) => [id, reason] as const).sort()),
          new Map([...needs].sort()),
        )
        most = Math.max(most, needs.size)
      }),
    )
    await fc.assert(property, { numRuns: histories })
    assert.ok(most > 0, 'some history has runs that need attention')
  })
}
