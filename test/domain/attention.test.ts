import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Run } from '../../src/nouns/run/fields.ts'
import { attentionOf } from '../../src/web/data/lists/attention.ts'

type Told = Pick<Run, 'runId'> & Partial<Run>

/** Runs of the project p, each newer than the one before. */
const runsOf = (told: Told[]): Run[] =>
  told.map((one, index) => ({
    id: index + 1,
    project: 'p',
    title: null,
    specId: null,
    specVersion: null,
    status: 'completed',
    agent: null,
    agentVersion: null,
    author: null,
    command: null,
    exitCode: null,
    contentType: 'text/markdown',
    labels: {},
    where: null,
    git: null,
    changes: null,
    links: [],
    usage: null,
    failure: null,
    retryOf: null,
    attempt: 1,
    verdict: 'unchecked',
    evidence: null,
    why: null,
    required: null,
    activity: null,
    leaseExpiresAt: null,
    lastSeenAt: null,
    startedAt: null,
    endedAt: null,
    createdAt: `2026-01-01T00:00:${String(index).padStart(2, '0')}.000Z`,
    updatedAt: '2026-01-01T00:00:00.000Z',
    createdBy: { kind: 'local', name: null },
    updatedBy: { kind: 'local', name: null },
    version: 1,
    ...one,
  }))

const needsOf = (told: Told[]) => attentionOf(runsOf(told)).needs.map(({ run, why }) => `${run.runId} ${why}`)

const failed = { status: 'failed' } as const
const lost = { ...failed, failure: { code: 'LEASE_EXPIRED', message: '' } }

const live = { status: 'in_progress', verdict: 'failing' } as const
const since = '2026-01-01T00:00:00.000Z'

const cases: [what: string, runs: Told[], needs: string[]][] = [
  ['what went well needs nothing', [{ runId: 'A' }, { runId: 'B', status: 'pending' }], []],
  [
    'failing checks of a session need attention, unless its agent is still at work',
    [
      { runId: 'A', ...live, activity: { state: 'working', since } },
      { runId: 'B', ...live, activity: { state: 'idle', since } },
      { runId: 'C', ...live },
    ],
    ['C failing', 'B failing'],
  ],
  [
    'runs that failed, lost their lease or have failing checks need attention, most urgent first',
    [
      { runId: 'A', ...failed },
      { runId: 'B', ...lost },
      { runId: 'C', verdict: 'failing' },
    ],
    ['C failing', 'A failed', 'B lease lost'],
  ],
  [
    'a completed later attempt settles the runs that it retried, also through other attempts',
    [
      { runId: 'A', ...failed },
      { runId: 'B', ...failed, retryOf: 'A' },
      { runId: 'C', retryOf: 'B' },
    ],
    [],
  ],
  [
    'a later attempt that failed or is in progress settles nothing',
    [
      { runId: 'A', ...failed },
      { runId: 'B', ...failed, retryOf: 'A' },
      { runId: 'C', status: 'in_progress', retryOf: 'B' },
    ],
    ['B failed', 'A failed'],
  ],
  [
    'an attempt with the same id in another project settles nothing',
    [
      { runId: 'A', ...failed },
      { runId: 'B', project: 'q', retryOf: 'A' },
    ],
    ['A failed'],
  ],
  [
    'unchecked and stale runs need attention if most runs of the project have checks',
    [
      { runId: 'A', verdict: 'verified' },
      { runId: 'B', verdict: 'verified' },
      { runId: 'C', verdict: 'stale' },
      { runId: 'D' },
      { runId: 'E', project: 'q' },
    ],
    ['C stale', 'D unchecked'],
  ],
]

for (const [what, runs, needs] of cases) test(what, () => assert.deepEqual(needsOf(runs), needs))

test('finished runs without a valid check are counted, as unchecked or stale', () => {
  const { unchecked, stale } = attentionOf(
    runsOf([{ runId: 'A' }, { runId: 'B' }, { runId: 'C', verdict: 'stale' }, { runId: 'D', status: 'pending' }]),
  )
  assert.deepEqual([unchecked, stale], [2, 1])
})
