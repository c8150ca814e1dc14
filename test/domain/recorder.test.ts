import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usage } from '../../src/nouns/run/work-fields.ts'
import type { Seen, SeenFailure, Step } from '../../src/recorder/agents/seen.ts'
import { treesOf } from '../../src/recorder/check.ts'
import type { Facts, RanCheck, RanLine } from '../../src/recorder/facts.ts'
import type { Memo } from '../../src/recorder/memo.ts'
import { close, step } from '../../src/recorder/step.ts'
import type { Candidate } from '../../src/recorder/trees.ts'
import { gitAfter, type Moved, type Snapshot } from '../../src/recorder/work.ts'
import { factsAt, start } from './facts.ts'

const seenOf = (step: Step): Seen => ({ agent: 'claude-code', session: 's', cwd: '/work', step })

/** What a session says after these steps, a second apart, and whether it waits for the end of its last turn. */
function told(...steps: Step[]) {
  let memo: Memo = {}
  const calls = steps.flatMap((one, at) => {
    const after = step(memo, seenOf(one), factsAt(at))
    memo = after.memo
    return after.calls
  })
  const closed = close(memo, factsAt(steps.length))
  return {
    isClosing: memo.closing !== undefined,
    calls: [...calls, ...closed.calls].map(({ operation, input }) => [
      operation,
      input.open
        ? `opens ${input.n}`
        : (input.title ?? input.answer ?? input.failure ?? input.status ?? input.interrupted),
    ]),
  }
}

const prompt = { kind: 'prompt', text: 'Do it.' } as const
const turn = { kind: 'turn', answer: 'Done.' } as const
const end = { kind: 'end' } as const
const created = ['createRun', 'Do it.']
const opens = (n: number) => ['appendTurn', `opens ${n}`]
const failed = { code: 'FAILED', message: 'It does not work.' }

for (const [what, steps, isClosing, calls] of [
  [
    'ends after its turn',
    [prompt, turn, end],
    false,
    [created, opens(1), ['appendTurn', 'Done.'], ['updateRun', 'completed']],
  ],
  [
    'ends before the end of its turn is seen',
    [prompt, end, turn],
    false,
    [created, opens(1), ['appendTurn', 'Done.'], ['updateRun', 'completed']],
  ],
  [
    'ends in its turn',
    [prompt, end],
    true,
    [
      created,
      opens(1),
      ['appendTurn', true],
      ['updateRun', { code: 'INTERRUPTED', message: 'Its user interrupted the last turn.' }],
    ],
  ],
  [
    'ends twice',
    [prompt, turn, end, end],
    false,
    [created, opens(1), ['appendTurn', 'Done.'], ['updateRun', 'completed']],
  ],
  [
    'says that it failed',
    [prompt, { kind: 'outcome', failure: failed }, turn, end],
    false,
    [created, opens(1), ['appendTurn', 'Done.'], ['updateRun', failed]],
  ],
  [
    'goes on after it failed',
    [prompt, { kind: 'outcome', failure: failed }, turn, prompt, turn, end],
    false,
    [created, opens(1), ['appendTurn', 'Done.'], opens(2), ['appendTurn', 'Done.'], ['updateRun', 'completed']],
  ],
  ['does nothing', [{ kind: 'start' }, end], false, []],
] satisfies [string, Step[], boolean, unknown[]][]) {
  test(`a session that ${what}`, () => {
    assert.deepEqual(told(...steps), { isClosing, calls })
  })
}

for (const [what, versions, sent] of [
  ['known at the first prompt', ['1.0', '1.0', '1.0'], ['1.0', undefined, '1.0']],
  ['that its transcript tells later', [undefined, '1.0', undefined], [undefined, undefined, '1.0']],
  ['that changes', ['1.0', undefined, '1.1'], ['1.0', undefined, '1.1']],
  ['too long for a ledger', ['ü'.repeat(60), undefined, undefined], ['ü'.repeat(50), undefined, 'ü'.repeat(50)]],
  ['nobody tells', [], [undefined, undefined, undefined]],
] as const) {
  test(`the version of an agent ${what}`, () => {
    let memo: Memo = {}
    const calls = [prompt, turn, end].flatMap((one, at) => {
      const version = versions[at]
      const after = step(memo, seenOf(one), factsAt(at, { reported: version === undefined ? {} : { version } }))
      memo = after.memo
      return after.calls
    })
    assert.deepEqual(
      calls.filter(({ input }) => !input.open).map(({ input }) => input.agentVersion),
      sent,
    )
  })
}

/** The usages of the turns of a session, as it says them. The agent reports its model, and `used` if its transcript has any. */
function usagesOf(model: string | undefined, used: Facts['reported']['usage'], ...steps: Step[]) {
  let memo: Memo = {}
  const calls = steps.flatMap((one, at) => {
    const facts = factsAt(at, { reported: { ...(used && { usage: used }) } })
    const after = step(memo, { ...seenOf(one), ...(model !== undefined && { model }) }, facts)
    const closed = close(after.memo, facts)
    memo = closed.memo
    return [...after.calls, ...closed.calls]
  })
  return calls.flatMap(({ operation, input }) => (operation === 'appendTurn' && !input.open ? [input.usage] : []))
}

const gone = { kind: 'end', isGone: true } as const
const tool = { kind: 'tool', tool: 'Read' } as const

test('the usage of a turn whose agent was gone is unknown, not nothing', () => {
  const usage = { inputTokens: 351, outputTokens: 7, costUsd: 0.5, costSource: 'reported' } as const
  const steps = [prompt, tool, gone, prompt, { ...turn, usage }] as const
  assert.deepEqual(usagesOf('m', undefined, ...steps), [{ model: 'm' }, { model: 'm', ...usage }])
  assert.deepEqual(usagesOf(undefined, undefined, ...steps), [undefined, usage], 'no model to speak of')
  const told = { model: 'm', inputTokens: 10, outputTokens: 1 }
  assert.deepEqual(usagesOf('m', told, prompt, tool, gone), [undefined], 'the transcript has it')
})

test('the usage of a session is one that the ledger takes, as that of a turn is', () => {
  const used = { model: 'ü'.repeat(60), inputTokens: 2e12, outputTokens: 1, costUsd: 2e9 }
  let memo: Memo = {}
  const calls = [prompt, turn, { kind: 'end' } as const].flatMap((one, at) => {
    const after = step(memo, seenOf(one), factsAt(at, one === prompt ? {} : { reported: { usage: used } }))
    memo = after.memo
    return after.calls
  })
  const usages = calls.flatMap(({ input }) => (input.usage === undefined ? [] : [usage.parse(input.usage)]))
  const within = { model: 'ü'.repeat(50), inputTokens: 1e12, outputTokens: 1 }
  assert.deepEqual(usages, [within, within])
})

test('a session that its user interrupted before its process was gone was interrupted', () => {
  const begun = step({}, seenOf(prompt), factsAt(0))
  const { memo } = step(begun.memo, seenOf({ kind: 'end', isGone: true }), factsAt(1))
  const { calls } = close(memo, factsAt(2, { reported: { interrupted: true } }))
  assert.deepEqual(
    calls.map(({ input }) => [input.interrupted, (input.failure as SeenFailure | undefined)?.code]),
    [
      [true, undefined],
      [undefined, 'INTERRUPTED'],
    ],
  )
})

const everything = { answers: true, prompts: true, changes: true }
const sides = { root: '/work', objects: '/objects', base: 't1', before: 't1', after: 't2' }
const diff = { ...sides, written: ['a'], putBack: [], restored: [], own: ['a'], shared: [], sharedSince: [] }

for (const when of ['its beginning', 'its end', 'now']) {
  for (const [text, recorded] of [
    ['answers', ['Do it.', undefined, false]],
    ['prompts', [undefined, 'Done.', false]],
    ['changes', ['Do it.', 'Done.', true]],
  ] as const) {
    test(`a turn without ${text}, by the rules at ${when}`, () => {
      const rulesAt = (at: string) => (at === when ? { ...everything, [text]: false } : everything)
      const begun = step({}, seenOf(prompt), factsAt(0, { trees: { rules: rulesAt('its beginning') } }))
      const after = step(
        begun.memo,
        seenOf(turn),
        factsAt(1, {
          rules: rulesAt('now'),
          trees: { rules: rulesAt('its end') },
          work: { files: [], commits: [], own: ['a'], diff },
        }),
      )
      const input = after.calls.find(({ operation }) => operation === 'appendTurn')?.input
      assert.deepEqual([input?.prompt, input?.answer, after.memo.owed?.[0]?.isWithheld], recorded)
    })
  }
}

for (const [what, own, home] of [
  ['those of now, if the session did not change them', ['src/a.ts'], 'later'],
  ['those of its beginning, if the session changed them itself', ['api/conduct.json'], 'first'],
] as const) {
  test(`the rules of a resumed session are ${what}`, () => {
    const rulesOf = (home: string) => ({ checks: { home, rules: [], required: [] } })
    const work = { files: own.map((path) => ({ path })), commits: [], own: [...own] }
    const steps: [Step, Partial<Facts>][] = [
      [prompt, { trees: rulesOf('first') }],
      [turn, { work }],
      [end, {}],
      [prompt, { trees: rulesOf('later') }],
    ]
    const memo = steps.reduce<Memo>((memo, [one, facts], at) => step(memo, seenOf(one), factsAt(at, facts)).memo, {})
    assert.equal(memo.checks?.home, home)
  })
}

const snapshot = (tree: string, commit = 'c1', commitTree = 't1'): Snapshot => ({
  root: '/work',
  tree,
  commitTree,
  objects: '/objects',
  log: 0,
  git: { tree, commit },
})

const check = (isLast = true): RanCheck => ({ name: 'tests', command: 'npm test', exitCode: 0, isFirst: true, isLast })
const file = (path: string, isTracked: boolean, isNew: boolean, was = 'before') => ({
  path,
  isTracked,
  isNew,
  was,
  id: 'after',
})
const left = file('coverage/index.html', false, true)

for (const [what, change, writes, isLast, memo, expected] of [
  [
    'new files that git does not track',
    { isAlone: true, files: [left] },
    false,
    true,
    {},
    { startTree: 'a', tree: 'b', leftovers: [{ path: left.path, id: 'after' }] },
  ],
  [
    'what an earlier check left',
    { isAlone: true, files: [file('report', false, false)] },
    false,
    true,
    { leftovers: [{ path: 'report', id: 'before' }] },
    { startTree: 'a', tree: 'b', leftovers: [{ path: 'report', id: 'after' }] },
  ],
  [
    "somebody's untracked file",
    { isAlone: true, files: [file('notes', false, false)] },
    false,
    true,
    {},
    { startTree: 'a' },
  ],
  [
    'what an earlier check left, and somebody has changed since',
    { isAlone: true, files: [file('report', false, false, 'edited')] },
    false,
    true,
    { leftovers: [{ path: 'report', id: 'before' }] },
    { startTree: 'a' },
  ],
  ['a tracked file', { isAlone: true, files: [file('src/a.ts', true, false)] }, false, true, {}, { startTree: 'a' }],
  ['new files while writes wrote', { isAlone: false, files: [left] }, false, true, {}, { startTree: 'a' }],
  ['unknown files', { isAlone: true }, false, true, {}, { startTree: 'a' }],
  [
    'files before the check, in one line',
    { isAlone: true, files: [file('src/a.ts', true, false)] },
    true,
    true,
    {},
    { tree: 'b' },
  ],
  [
    'files after the check, in one line',
    { isAlone: true, files: [file('src/a.ts', true, false)] },
    true,
    false,
    {},
    { startTree: 'a' },
  ],
] as const) {
  test(`a check during which the command changed ${what}`, () => {
    const trees = { before: snapshot('a'), now: snapshot('b') }
    const candidate = { cwd: '/work', command: 'npm test', trees, change } as unknown as Candidate
    const seen = treesOf(candidate, { checks: [check(isLast)], writes }, check(isLast), memo as unknown as Memo)
    assert.deepEqual(seen, expected)
  })
}

const ofCheck = { before: snapshot('a'), now: snapshot('b'), began: start + 1_000, home: '/work' }
const line = () => ({ checks: [check()], writes: false as const })

for (const [what, at, trees] of [
  ['before', 0.5, ['a', 'b']],
  ['while', 2, ['a', undefined]],
] as const) {
  test(`a tool that wrote a file ${what} a check ran`, () => {
    const facts: Partial<Facts> = { trees: ofCheck, change: { isAlone: true, files: [left] }, line }
    const begun = step({}, seenOf(prompt), factsAt(0, { trees: { now: snapshot('a') } }))
    const wrote = step(begun.memo, seenOf({ kind: 'tool', tool: 'Write', files: ['a.ts'] }), factsAt(at))
    const ran: Step = { kind: 'tool', tool: 'Bash', command: 'npm test', exitCode: 0 }
    const { calls } = step(wrote.memo, seenOf(ran), factsAt(3, facts))
    const input = calls.find(({ operation }) => operation === 'createCheck')?.input
    assert.deepEqual([input?.startTree, input?.tree], trees)
  })
}

for (const [where, root, trees] of [
  ['there', '/work', ['a', 'a']],
  ['in another working tree', '/other', [undefined, undefined]],
] as const) {
  test(`a check in the background that ends while its session is ${where}`, () => {
    const [tree, now] = [snapshot('a'), { ...snapshot('a'), root }]
    const ran: Step = { kind: 'tool', tool: 'Bash', id: 'c1', command: 'npm test', goesOn: true }
    const steps: [Step, Partial<Facts>][] = [
      [prompt, { trees: { now: tree } }],
      [ran, { trees: { before: tree, now: tree, began: start + 1_000, home: '/work' } }],
      [turn, { trees: { now }, line, reported: { commands: { c1: { exitCode: 0 } } } }],
    ]
    let memo: Memo = {}
    const calls = steps.flatMap(([one, facts], at) => {
      const after = step(memo, seenOf(one), factsAt(at, facts))
      memo = after.memo
      return after.calls
    })
    const input = calls.find(({ operation }) => operation === 'createCheck')?.input
    assert.deepEqual([input?.result, input?.startTree, input?.tree], ['pass', ...trees])
  })
}

test('a check whose end the transcript told before its hook is recorded once', () => {
  const begin: Step = { kind: 'begin', tool: 'Bash', id: 'c1', command: 'npm test' }
  const ran: Step = { kind: 'tool', tool: 'Bash', id: 'c1', command: 'npm test', exitCode: 0 }
  const steps: [Step, Partial<Facts>][] = [
    [prompt, {}],
    [begin, { trees: { home: '/work' } }],
    [turn, { line, reported: { commands: { c1: { exitCode: 0 } } } }],
    [ran, { line, trees: { home: '/work' } }],
  ]
  let memo: Memo = {}
  const calls = steps.flatMap(([one, facts], at) => {
    const after = step(memo, seenOf(one), factsAt(at, facts))
    memo = after.memo
    return after.calls
  })
  assert.equal(calls.filter(({ operation }) => operation === 'createCheck').length, 1)
})

test('a check that changed nothing saw one tree, and one that began unseen saw none', () => {
  const candidate = (trees: Candidate['trees']): Candidate => ({ cwd: '/work', command: 'npm test', trees })
  const line: RanLine = { checks: [check()], writes: false }
  assert.deepEqual(treesOf(candidate({ before: snapshot('a'), now: snapshot('a') }), line, check(), {}), {
    startTree: 'a',
    tree: 'a',
  })
  assert.deepEqual(treesOf(candidate({ now: snapshot('a') }), line, check(), {}), {})
})

const none = { count: 0, paths: [] }
const unmoved: Moved = { uncommitted: none, isForeign: false, isCheckout: false }
const base = snapshot('t1')
const worked = {
  base,
  told: { tree: 't2', commits: ['c2'], git: { tree: 't2', commit: 'c2', commitTree: 't2', uncommitted: none } },
}

for (const [what, memo, now, moved, expected] of [
  [
    'an edit',
    worked,
    snapshot('t3', 'c2', 't2'),
    { ...unmoved, uncommitted: { count: 1, paths: ['a'] } },
    ['t3', 'c2', 1],
  ],
  [
    'a checkout of another branch',
    worked,
    snapshot('t1', 'c1', 't1'),
    { ...unmoved, isCheckout: true },
    ['t2', 'c2', 0],
  ],
  [
    'a checkout with files that are not committed',
    worked,
    snapshot('t4', 'c1', 't1'),
    { ...unmoved, isCheckout: true, uncommitted: { count: 1, paths: ['a'] } },
    ['t4', 'c1', 1],
  ],
  [
    'a checkout by a session that changed nothing',
    { base, told: { tree: 't1', commits: [], git: { tree: 't1', commit: 'c1' } } },
    snapshot('t9', 'c9', 't9'),
    { ...unmoved, isCheckout: true },
    ['t9', 'c9', 0],
  ],
  [
    'a commit and a checkout',
    worked,
    snapshot('t1', 'c1', 't1'),
    { ...unmoved, isCheckout: true, made: { commit: 'c3', tree: 't3', branch: 'work' } },
    ['t3', 'c3', 0, 'work'],
  ],
  ['a merge', worked, snapshot('t5', 'c5', 't5'), unmoved, ['t5', 'c5', 0]],
  ["another session's edit", worked, snapshot('t6', 'c2', 't2'), { ...unmoved, isForeign: true }, ['t2', 'c2', 0]],
  ['something unknown', worked, snapshot('t3', 'c2', 't2'), { ...unmoved, uncommitted: null }, ['t3', 'c2', undefined]],
] as const) {
  test(`the work of a session after ${what}`, () => {
    const git = gitAfter(memo as unknown as Memo, now, moved as unknown as Moved, [])
    const [tree, commit, count, branch] = expected
    assert.deepEqual([git?.tree, git?.commit, git?.uncommitted?.count, git?.branch], [tree, commit, count, branch])
  })
}

test('a check takes what another session wrote into the work', () => {
  const moved: Moved = { ...unmoved, isForeign: true }
  const now = snapshot('t6', 'c2', 't2')
  const treeAfter = (isCheck: boolean) => gitAfter(worked as unknown as Memo, now, moved, [], isCheck)?.tree
  assert.deepEqual([treeAfter(false), treeAfter(true)], ['t2', 't6'])
})
