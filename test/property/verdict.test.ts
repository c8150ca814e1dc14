import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sameCommand } from '../../src/nouns/run/verdict/command.ts'
import { evidences } from '../../src/nouns/run/verdict/evidence.ts'
import { type Judged, judge, type Standing, type Work } from '../../src/nouns/run/verdict/verdict.ts'
import fc from '../support/random.ts'

const names = ['tests', 'lint'] as const
const tree = fc.constantFrom('A', 'B', 'C')
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null })
const strength = ({ evidence }: Judged) => evidences.indexOf(evidence)

const check: fc.Arbitrary<Judged> = fc.record({
  name: fc.constantFrom(...names),
  result: fc.constantFrom('pass', 'pass', 'fail', 'warn'),
  evidence: fc.constantFrom(...evidences),
  by: fc.integer({ min: 1, max: 3 }),
  byName: fc.constant('somebody'),
  isPerson: fc.boolean(),
  command: maybe(fc.constantFrom('npm test', 'npm run test', 'npm test -- one')),
  startTree: maybe(tree),
  tree: maybe(tree),
  commitTree: maybe(tree),
  commit: maybe(fc.constantFrom('1', '2')),
  dirty: maybe(fc.boolean()),
  pipeline: maybe(fc.record({ id: fc.constantFrom('7', '8'), job: fc.constantFrom('x', 'y'), attempt: fc.nat(2) })),
  workVersion: fc.integer({ min: 1, max: 2 }),
})

const work: fc.Arbitrary<Work> = fc.record({
  state: fc.record({
    tree: maybe(tree),
    commit: maybe(fc.constantFrom('1', '2')),
    dirty: maybe(fc.boolean()),
    commitTree: maybe(tree),
    uncommitted: fc.option(maybe(fc.nat(1).map((count) => ({ count, paths: count > 0 ? ['a.js'] : [] }))), {
      nil: undefined,
    }),
  }),
  version: fc.integer({ min: 1, max: 2 }),
})

const history = fc.tuple(fc.array(check, { maxLength: 12 }), work, fc.subarray([...names], { minLength: 1 }))

test('no verdict is better than what was seen, after any history', () => {
  fc.assert(
    fc.property(history, ([checks, work, required]) => {
      const { verdict, evidence, standings } = judge(checks, work, required)
      const passes = standings.filter(({ check }) => check.result === 'pass')
      if (verdict === 'verified') {
        for (const name of required) {
          const seen = passes.filter(
            ({ check, current }) => check.name === name && current && check.evidence !== 'self',
          )
          assert.ok(seen.length > 0, `a current pass of ${name} that somebody saw`)
        }
        assert.notEqual(evidence, 'self')
      }
      assert.equal(evidence === null, verdict === 'unchecked')
      for (const { check, current, replacedBy, isCleared } of standings) {
        assert.ok(!isCleared || check.result !== 'pass')
        if (check.result === 'pass' || !replacedBy) continue
        assert.ok(strength(replacedBy) >= strength(check), 'a claim clears nothing that somebody saw')
        assert.equal(replacedBy.name, check.name)
        assert.equal(isCleared === true, replacedBy.result !== check.result)
        const by = standings.find((one) => one.check === replacedBy)
        assert.ok(!current || by?.current, 'a failure of this work is cleared only by a pass of this work')
      }
      const isBad = standings.some(({ check, isCleared }) => check.result === 'fail' && !isCleared)
      assert.equal(verdict === 'failing', isBad)
    }),
    { numRuns: 5_000 },
  )
})

/** The rules of docs/verdict.md for what takes the place of a check, as they are written there. */
function replaces(one: Standing<Judged>, other: Standing<Judged>): boolean {
  const isNewer = one.at > other.at && (one.current || !other.current)
  if (!isNewer && (!one.current || other.current)) return false
  const [later, earlier] = [one.check, other.check]
  if (later.name !== earlier.name || strength(later) < strength(earlier)) return false
  const isClaim = later.evidence === 'self'
  if (isClaim && later.by !== earlier.by) return false
  const [run, before] = [later.pipeline, earlier.pipeline]
  const isSameRun = run !== null && run.id === before?.id
  if (isSameRun && (run.job !== before.job || (run.attempt ?? 1) <= (before.attempt ?? 1))) return false
  if (later.evidence === 'independent') return true
  if (later.command === null || earlier.command === null) return later.command === earlier.command || isClaim
  return sameCommand(later.command, earlier.command)
}

const isAttemptBefore = (one: Judged, other: Judged) =>
  one.name === other.name &&
  one.pipeline !== null &&
  one.pipeline.id === other.pipeline?.id &&
  one.pipeline.job === other.pipeline.job &&
  (one.pipeline.attempt ?? 1) < (other.pipeline.attempt ?? 1)

const isOfRunOf = (one: Judged, other: Judged) => one.pipeline !== null && one.pipeline.id === other.pipeline?.id

/** Whether the same checks can speak for both. */
function speaksAlike(one: Judged, other: Judged): boolean {
  if (one.evidence !== other.evidence) return false
  if (one.evidence === 'independent') return true
  if (one.evidence === 'self' && one.by !== other.by) return false
  if (one.command === null || other.command === null) return one.command === other.command
  return sameCommand(one.command, other.command)
}

/** How many checks of the same result the attempt has to which a check belongs, and that the same can clear: its legs. */
const legsOf = ({ check }: Standing<Judged>, standings: Standing<Judged>[]) =>
  standings.filter(
    ({ check: other }) =>
      other.name === check.name &&
      other.result === check.result &&
      speaksAlike(other, check) &&
      isOfRunOf(other, check) &&
      other.pipeline?.job === check.pipeline?.job &&
      (other.pipeline?.attempt ?? 1) === (check.pipeline?.attempt ?? 1),
  ).length

const isBetter = (one: Judged, other: Judged) =>
  other.result === 'fail' ? one.result !== 'fail' : other.result === 'warn' && one.result === 'pass'

test('a check gives way to the newest that may take its place, after any history', () => {
  fc.assert(
    fc.property(history, ([checks, work, required]) => {
      const standings = judge(checks, work, required).standings.toSorted((one, other) => one.at - other.at)
      for (const [n, one] of standings.entries()) {
        const isEarlier = (other: Standing<Judged>) => isAttemptBefore(other.check, one.check)
        assert.ok(!standings.slice(n).some(isEarlier), 'an attempt comes before the later ones of its job')
      }
      const failures = standings.filter(({ check }) => check.result !== 'pass')
      for (const one of failures) {
        const all = standings.filter((other) => isBetter(other.check, one.check) && replaces(other, one))
        const again = all.filter((other) => isOfRunOf(other.check, one.check))
        const by = all.findLast((other) => again.length >= legsOf(one, standings) || !again.includes(other))
        assert.equal(one.isCleared === true, by !== undefined)
        if (by) assert.equal(one.replacedBy, by.check)
      }
      const open = failures.filter(({ isCleared }) => !isCleared)
      for (const one of open) {
        const by = open.findLast((other) => other.check.result === one.check.result && replaces(other, one))
        assert.equal(one.replacedBy, by?.check)
      }
    }),
    { numRuns: 5_000 },
  )
})

test('a history that ends in seen passes of the whole work is verified', () => {
  fc.assert(
    fc.property(fc.array(check, { maxLength: 7 }), fc.constantFrom('A', 'B', 'C'), (before, tree) => {
      const own = before.filter(({ evidence, command }) => evidence !== 'independent' && command?.endsWith('test'))
      const last = names.map(
        (name): Judged => ({
          ...{
            name,
            result: 'pass',
            evidence: 'executed',
            by: 1,
            byName: 'agent',
            isPerson: false,
            command: 'npm test',
          },
          ...{ startTree: tree, tree, commitTree: null, commit: null, dirty: true, pipeline: null, workVersion: 1 },
        }),
      )
      const { verdict, why } = judge([...own, ...last], { state: { tree }, version: 1 }, [...names])
      assert.equal(verdict, 'verified', why)
    }),
    { numRuns: 2_000 },
  )
})
