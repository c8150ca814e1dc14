import assert from 'node:assert/strict'
import { test } from 'node:test'
import { structuredPatch } from 'diff'
import { createPastDiffs } from '../../src/capture/work/past-diffs.ts'
import { isHunks } from '../../src/nouns/run/diff/add.ts'
import { type DiffInput, diffInput } from '../../src/nouns/run/diff/fields.ts'
import { applied, type Written } from '../../src/recorder/transcripts/written.ts'
import { size } from '../proof/size.ts'
import fc from '../support/random.ts'

const content = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'c', '', '@@ -1 +1 @@', '-x', '\\ y'), { maxLength: 12 }), fc.boolean())
  .map(([lines, isEnded]) => lines.map((line) => `${line}\n`).join('') + (isEnded ? '' : 'end'))
const path = fc.constantFrom('/work/a', '/work/b/c')
/** What a tool leaves of a file; null where it deletes it. Somebody else may have changed it right before. */
const edit = fc.record({
  path,
  after: fc.oneof({ weight: 8, arbitrary: content }, { weight: 1, arbitrary: fc.constant(null) }),
  other: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: content }),
  isUnknown: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
})
const session = fc.array(fc.array(edit, { maxLength: 4 }), { maxLength: 5 })
type Edits = typeof edit extends fc.Arbitrary<infer Edit> ? Edit[] : never

/** The content of a file after a change; undefined if the change does not fit. */
function after(before: string | null, change: NonNullable<DiffInput['change']>): string | null | undefined {
  assert.equal(change.status, before === null ? 'added' : change.status)
  const { patch = '' } = change
  assert.ok(patch === '' || isHunks(patch), patch)
  const now = patch === '' ? (before ?? '') : applied(before ?? '', patch)
  return change.status === 'deleted' && now === '' ? null : now
}

/** Follows a session, and asserts that each diff leads from what was there to what is there. Returns how many there are. */
async function requireExact(turns: Edits[], writtenOf: (before: string | null, edit: Edits[number]) => Written) {
  const diffs = createPastDiffs({ root: undefined, cwd: '/work', isWithheld: false })
  const files = new Map<string, string | null>()
  const first = new Map<string, string | null>()
  let found = 0
  for (const edits of turns) {
    const start = new Map<string, string | null>()
    const written = edits.map((one): Written => {
      const before = one.other ?? files.get(one.path) ?? null
      if (!first.has(one.path)) first.set(one.path, before)
      if (!start.has(one.path)) start.set(one.path, before)
      files.set(one.path, one.after)
      return one.isUnknown ? { path: one.path } : writtenOf(before, one)
    })
    for (const diff of await diffs.next(written, [...start.keys()], undefined)()) {
      found++
      diffInput.parse(diff)
      const at = `/work/${diff.path}`
      const [now, began, base] = [files, start, first].map((one) => one.get(at) ?? null) as [
        string | null,
        string | null,
        string | null,
      ]
      if (diff.change) assert.equal(after(began, diff.change), now, JSON.stringify(diff))
      if (diff.whole === null) assert.equal(now, base)
      else assert.equal(after(base, diff.whole ?? diff.change ?? assert.fail()), now, JSON.stringify(diff))
    }
  }
  return found
}

async function requireAll(sessions: fc.Arbitrary<Edits[]>, writtenOf: Parameters<typeof requireExact>[1]) {
  let found = 0
  const property = fc.asyncProperty(sessions, async (turns) => {
    found += await requireExact(turns, writtenOf)
  })
  const runs = size(300, 20_000)
  await fc.assert(property, { numRuns: runs })
  assert.ok(found > runs, `${found} diffs`)
}

test('each diff of a past session is exact, whatever somebody else changed meanwhile', async () => {
  const known = (before: string | null, { path, after }: Edits[number]): Written => ({ path, before, after })
  await requireAll(session, known)
})

test('each diff of a past session is exact where its transcript has patches', async () => {
  const patched = (before: string | null, { path, after }: Edits[number]): Written => {
    if (after === null) return { path, before, after }
    if (before === null) return { path, after }
    const { hunks } = structuredPatch('', '', before, after, '', '', { context: 1 })
    const range = (start: number, lines: number) => `${lines === 0 ? start - 1 : start},${lines}`
    const texts = hunks.map(
      ({ oldStart, oldLines, newStart, newLines, lines }) =>
        `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@\n${lines.join('\n')}\n`,
    )
    return { path, hunks: texts.join('') }
  }
  const own = session.map((turns) => turns.map((edits) => edits.map((one) => ({ ...one, other: undefined }))))
  await requireAll(own, patched)
})
