import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Grouping } from '../../src/nouns/run/attention/fields.ts'
import { type GroupMember, groupsOf, worstOf } from '../../src/nouns/run/attention/group.ts'
import {
  type Decision,
  type DecisionInput,
  decided,
  enters,
  failsAnew,
  type Looked,
  mendedBy,
  type Reason,
  reasonOf,
  sinceOf,
} from '../../src/nouns/run/attention/rule.ts'

const now = '2026-01-31T09:30:00.000Z'
const earlier = '2026-01-31T09:00:00.000Z'

const run = (more: Partial<Looked> = {}): Looked => ({
  status: 'in_progress',
  failureCode: undefined,
  verdict: 'unchecked',
  why: null,
  isRejudged: false,
  isWorking: false,
  endedAt: null,
  ...more,
})

const failed = run({ status: 'failed', endedAt: earlier })
const vanished = run({ ...failed, failureCode: 'LEASE_EXPIRED' })
const failing = run({ verdict: 'failing' })

const needs: [what: string, Looked, Reason | undefined][] = [
  ['a run in progress needs nothing', run(), undefined],
  ['a stale or unchecked run needs nothing', run({ status: 'completed', verdict: 'stale' }), undefined],
  ['failed', failed, 'failed'],
  ['vanished', vanished, 'vanished'],
  ['failing', failing, 'failing'],
  ['a failed run with failing checks has failed', { ...failed, verdict: 'failing' }, 'failed'],
  ['a new rule is no news', { ...failing, isRejudged: true }, undefined],
]
for (const [what, looked, reason] of needs) test(`why: ${what}`, () => assert.equal(reasonOf(looked), reason))

const mends: [Partial<Looked>, readonly Reason[]][] = [
  [{ status: 'completed', verdict: 'verified' }, ['failing', 'failed', 'vanished']],
  [{ status: 'completed', verdict: 'unchecked' }, ['failed', 'vanished']],
  [{ status: 'completed', verdict: 'stale' }, ['failed', 'vanished']],
  [{ status: 'completed', verdict: 'failing' }, []],
  [{ status: 'in_progress', verdict: 'verified' }, []],
  [{ status: 'failed', verdict: 'verified' }, []],
]
for (const [looked, reasons] of mends) {
  test(`${looked.status} and ${looked.verdict} makes good: ${reasons.join(', ') || 'nothing'}`, () =>
    assert.deepEqual(mendedBy(run(looked)), reasons))
}

const working = { ...failing, isWorking: true }
const old = run({ status: 'failed', endedAt: '2026-01-16T00:00:00.000Z' })
const entries: [what: string, Looked | undefined, Looked, boolean][] = [
  ['a new run that failed', undefined, failed, true],
  ['a run that fails', run(), failed, true],
  ['a check that fails', run(), failing, true],
  ['not while its agent works', run(), working, false],
  ['once its agent stops', working, failing, true],
  ['not without news', failing, failing, false],
  ['not 15 days after its end', undefined, old, false],
]
for (const [what, before, after, isNew] of entries) {
  test(`enters: ${what}`, () => assert.equal(enters(before, after, now), isNew))
}

test('a run fails anew with another reason, status or verdict', () => {
  assert.ok(failsAnew(failing, { ...failed, verdict: 'failing' }))
  assert.ok(failsAnew(failed, { ...failed, verdict: 'failing' }))
  assert.ok(failsAnew(vanished, failed))
  assert.ok(!failsAnew(failed, { ...failed, why: 'Check lint failed.' }))
})

test('it needs attention since its end, if that is the news', () => {
  assert.equal(sinceOf(run(), failed, now), earlier)
  assert.equal(sinceOf(undefined, failed, now), earlier)
  assert.equal(sinceOf(failed, { ...failed, verdict: 'failing' }, now), now)
  assert.equal(sinceOf(run(), failing, now), now)
})

const open: Decision = { state: 'open', assignee: null, until: null, resolvedAt: null, note: null }
const later = '2026-02-01T00:00:00.000Z'
const putOff: Decision = { ...open, state: 'put-off', until: later }
const resolved: Decision = { ...open, state: 'resolved', resolvedAt: earlier }
const decisions: [what: string, Decision, DecisionInput, Decision][] = [
  ['nothing', open, {}, open],
  ['resolve', open, { resolved: true }, { ...resolved, resolvedAt: now }],
  ['resolve again', resolved, { resolved: true }, resolved],
  ['resolve what is put off', putOff, { resolved: true }, { ...resolved, resolvedAt: now }],
  ['resolve, and put off no longer', putOff, { resolved: true, until: null }, { ...resolved, resolvedAt: now }],
  ['open again', resolved, { resolved: false }, open],
  ['put off', open, { until: later }, putOff],
  ['put off what is resolved', resolved, { until: later }, putOff],
  ['put off no longer', putOff, { until: null }, open],
  ['what is open and stays so', putOff, { resolved: false }, putOff],
  ['assign and note', resolved, { assignee: 'Ada', note: 'x' }, { ...resolved, assignee: 'Ada', note: 'x' }],
  ['unassign', { ...open, assignee: 'Ada' }, { assignee: null }, open],
]
for (const [what, before, patch, after] of decisions) {
  test(`decided: ${what}`, () => assert.deepEqual(decided(before, patch, now), after))
}

const member = (id: number, more: Partial<GroupMember> = {}): GroupMember => ({
  ...{ id, created_at: now, project_id: 1, run_id: `R-${id}`, reason: 'failed', check_name: null, spec_id: null },
  ...{ branch: null, person: null, ...more },
})
const members = [
  member(9, { spec_id: 'S', branch: 'b', person: 'ada' }),
  member(8, { branch: 'b' }),
  member(7),
  member(6, { spec_id: 'S', reason: 'failing', check_name: 'tests', person: 'ada' }),
  member(5, { spec_id: 'S', project_id: 2 }),
]
const grouped: Record<Grouping, string[]> = {
  spec: ['spec S 9,6 failing', 'branch b 8 failed', 'run R-7 7 failed', 'spec S 5 failed'],
  branch: ['branch b 9,8 failed', 'run R-7 7 failed', 'run R-6 6 failing', 'run R-5 5 failed'],
  check: ['reason failed 9,8,7 failed', 'check tests 6 failing', 'reason failed 5 failed'],
  person: ['person ada 9,6 failing', 'person null 8,7 failed', 'person null 5 failed'],
}
for (const [grouping, groups] of Object.entries(grouped) as [Grouping, string[]][]) {
  test(`groups by ${grouping}`, () => {
    const shown = groupsOf(members, grouping).map(
      (group) => `${group.by} ${group.key} ${group.members.map(({ id }) => id).join()} ${worstOf(group)}`,
    )
    assert.deepEqual(shown, groups)
  })
}
