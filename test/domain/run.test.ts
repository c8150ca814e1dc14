import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idOf, numberOf } from '../../src/contract/id.ts'
import { emptyRun, type RunInput } from '../../src/nouns/run/fields.ts'
import { change, isWork, type RunState } from '../../src/nouns/run/state.ts'
import { titleOf } from '../../src/text/title.ts'

const t0 = '2026-01-01T00:00:00.000Z'
const t1 = '2026-01-01T00:00:01.000Z'
const t2 = '2026-01-01T00:00:02.000Z'
const t3 = '2026-01-01T00:00:03.000Z'
const failure = { code: 'X', message: 'y' }

const running: RunState = { ...emptyRun, status: 'in_progress', startedAt: t1 }
const completed: RunState = { ...running, status: 'completed', endedAt: t1 }
const failed: RunState = { ...running, status: 'failed', endedAt: t1, failure }

const moves: [what: string, before: RunState, patch: RunInput, after: Partial<RunState>][] = [
  ['a pending run has not started', emptyRun, {}, { status: 'pending', startedAt: null, endedAt: null }],
  ['a run starts', emptyRun, { status: 'in_progress' }, { startedAt: t2, endedAt: null }],
  ['a run starts and ends at once', emptyRun, { status: 'completed' }, { startedAt: t2, endedAt: t2 }],
  ['a start is kept', running, { status: 'completed' }, { startedAt: t1, endedAt: t2 }],
  ['an end is kept by an edit', completed, { title: 'x' }, { endedAt: t1 }],
  ['an end is kept by another end', completed, { status: 'failed' }, { endedAt: t1, failure: null }],
  ['a reopened run has no end', completed, { status: 'in_progress' }, { startedAt: t1, endedAt: null }],
  ['a reopened run keeps its start', failed, { status: 'pending' }, { startedAt: t1, endedAt: null, failure: null }],
  [
    'given times are used',
    emptyRun,
    { status: 'completed', startedAt: t0, endedAt: t1 },
    { startedAt: t0, endedAt: t1 },
  ],
  ['a later end replaces the end', completed, { endedAt: t2 }, { startedAt: t1, endedAt: t2 }],
  [
    'an end is never before the start',
    emptyRun,
    { status: 'completed', startedAt: t3 },
    { startedAt: t3, endedAt: t3 },
  ],
  ['a run that fails can get a failure', running, { status: 'failed', failure }, { failure }],
  ['a failed run can get a failure later', { ...failed, failure: null }, { failure }, { failure }],
  ['a run that no longer fails loses its failure', failed, { status: 'completed' }, { failure: null, endedAt: t1 }],
  ['a failure is cleared', failed, { failure: null }, { failure: null, status: 'failed' }],
  ['a title is derived', emptyRun, { content: '# A\nb' }, { title: 'A' }],
  ['a given title stays', emptyRun, { content: '# A', title: 'T' }, { title: 'T' }],
  ['an existing title stays', { ...emptyRun, title: 'T' }, { content: '# A' }, { title: 'T' }],
  ['a cleared title is derived again', { ...emptyRun, title: 'T' }, { content: '# A', title: null }, { title: 'A' }],
  [
    'fields that are not given stay',
    { ...emptyRun, agent: 'a', labels: { k: 'v' } },
    { specId: 'S' },
    { agent: 'a', labels: { k: 'v' } },
  ],
  [
    'null clears',
    { ...emptyRun, agent: 'a', specId: 'S' },
    { agent: null, specId: null },
    { agent: null, specId: null },
  ],
]

for (const [what, before, patch, expected] of moves) {
  test(what, () => {
    const after = change(before, patch, t2)
    for (const [field, value] of Object.entries(expected))
      assert.deepEqual(after[field as keyof RunState], value, field)
  })
}

test('a failure requires the status failed', () => {
  for (const status of ['pending', 'in_progress', 'completed'] as const) {
    assert.throws(() => change(emptyRun, { status, failure }, t2), {
      code: 'VALIDATION_ERROR',
      message: new RegExp(`not '${status}'`),
    })
  }
})

const refused: [patch: RunInput, before: RunState, message: RegExp][] = [
  [{ startedAt: '2026-01-01T00:05:02.001Z' }, running, /^startedAt: must not be more than 5 minutes ahead/],
  [{ startedAt: t1 }, emptyRun, /^startedAt: is only for a run that has started/],
  [{ endedAt: t1 }, running, /^endedAt: is only for a status that ends the run, not 'in_progress'/],
  [
    { status: 'completed', endedAt: t0 },
    running,
    /^endedAt: must not put the end, .*00\.000Z, before the start, .*01\.000Z/,
  ],
  [{ startedAt: t2 }, completed, /^startedAt: must not put the end, .*01\.000Z, before the start, .*02\.000Z/],
]

test('impossible times are refused', () => {
  for (const [patch, before, message] of refused) {
    assert.throws(() => change(before, patch, t2), { code: 'VALIDATION_ERROR', message }, JSON.stringify(patch))
  }
})

const work: [what: string, before: RunState, after: RunState, replaced: boolean, expected: boolean][] = [
  ['nothing', running, running, false, false],
  ['replaced content', running, running, true, true],
  ['a first commit', running, { ...running, git: { commit: 'b' } }, false, false],
  ['another commit', { ...running, git: { commit: 'a' } }, { ...running, git: { commit: 'b' } }, false, true],
  [
    'another commit of the same tree',
    { ...running, git: { commit: 'a', tree: 't' } },
    { ...running, git: { commit: 'b', tree: 't' } },
    false,
    false,
  ],
  [
    'another tree on the same commit',
    { ...running, git: { commit: 'a', tree: 't' } },
    { ...running, git: { commit: 'a', tree: 'u' } },
    false,
    true,
  ],
  ['another branch', running, { ...running, git: { branch: 'b' } }, false, false],
  ['another spec', running, { ...running, specId: 'S' }, false, true],
  ['finishing', running, completed, false, false],
  ['failing after completing', completed, failed, false, false],
  ['reopening', completed, running, false, true],
  ['labels and usage', running, { ...running, labels: { a: 'b' }, usage: { inputTokens: 1 } }, false, false],
]

for (const [what, before, after, replaced, expected] of work) {
  test(`${what} is ${expected ? '' : 'not '}work`, () => assert.equal(isWork(before, after, replaced), expected))
}

const titles: [content: string, title: string | null][] = [
  ['', null],
  ['\n  \n', null],
  ['# Run Log\n\nImplemented', 'Run Log'],
  ['First line\nsecond', 'First line'],
  ['intro\n\n## Later heading', 'Later heading'],
  ['```sh\n# a comment\n```\n\n# The heading #', 'The heading'],
  ['#hashtag is no heading', '#hashtag is no heading'],
  ['#\n\nempty heading', '#'],
  [`# ${'é'.repeat(200)}`, `${'é'.repeat(148)}…`],
  [`${'\n'.repeat(150)}# too late`, null],
  ['# Windows\r\ntext', 'Windows'],
]

for (const [content, title] of titles) {
  test(`the title of ${JSON.stringify(content.slice(0, 30))}`, () => assert.equal(titleOf(content), title))
}

test('generated ids have three digits or more, and given ids are read in any form', () => {
  assert.deepEqual(
    [1, 42, 1234].map((n) => idOf('run', n)),
    ['RUN-001', 'RUN-042', 'RUN-1234'],
  )
  assert.deepEqual(
    ['RUN-7', 'RUN-0007', 'RUN-', 'run-7', 'RUN-7a', `RUN-${'9'.repeat(16)}`].map((id) => numberOf('run', id)),
    [7, 7, undefined, undefined, undefined, undefined],
  )
})
