import assert from 'node:assert/strict'
import { test } from 'node:test'
import { structuredPatch } from 'diff'
import { writtenIn } from '../../src/recorder/agents/claude/written.ts'
import { writtenBy as writtenByCopilot } from '../../src/recorder/agents/copilot/written.ts'
import { writtenBy as writtenByDroid } from '../../src/recorder/agents/droid/written.ts'
import type { JsonFields } from '../../src/recorder/agents/fields.ts'
import { writtenIn as writtenInGemini } from '../../src/recorder/agents/gemini/written.ts'
import {
  applied,
  contentAfter,
  contentBefore,
  edited,
  type TextReplacement,
  type Written,
} from '../../src/recorder/transcripts/written.ts'
import { size } from '../proof/size.ts'
import fc from '../support/random.ts'

test('hunks apply only where the content is as they say', () => {
  const content = 'one\ntwo\nthree\nfour\nfive\n'
  const cases: [string, string, string | undefined][] = [
    [content, '@@ -2 +2 @@\n-two\n+2\n', 'one\n2\nthree\nfour\nfive\n'],
    [content, '@@ -2,2 +2 @@ f()\n two\n-three\n@@ -5 +4,2 @@\n five\n+six\n', 'one\ntwo\nfour\nfive\nsix\n'],
    [content, '@@ -0,0 +1 @@\n+zero\n', `zero\n${content}`],
    [content, '@@ -5 +5 @@\n-five\n+five\n\\ No newline at end of file\n', 'one\ntwo\nthree\nfour\nfive'],
    ['a', '@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n', 'a\n'],
    ['', '@@ -0,0 +1 @@\n+a\n', 'a\n'],
    ['a\r\nb\r\n', '@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n', 'a\r\nc\r\n'],
    [content, '@@ -3 +3 @@\n-two\n+2\n', undefined],
    [content, '@@ -9 +9 @@\n-nine\n+9\n', undefined],
    [content, '@@ -3 +3 @@\n-three\n+3\n@@ -1 +1 @@\n-one\n+1\n', undefined],
    [content, '*** Update File: a\n', undefined],
    ['a', '@@ -1,1 +1,2 @@\n a\n\\ No newline at end of file\n+b\n', undefined],
  ]
  for (const [before, hunks, after] of cases) assert.equal(applied(before, hunks), after, hunks)
})

test('hunks lead back where only a line feed ends a line', () => {
  for (const end of ['\r', '\u2028', '\u2029']) {
    const hunks = `@@ -1,2 +1,2 @@\n-a${end}-b\n+a${end}+b\n c\n`
    const [before, after] = [`a${end}-b\nc\n`, `a${end}+b\nc\n`]
    assert.equal(contentAfter({ path: filePath, hunks }, before), after)
    assert.equal(contentBefore({ path: filePath, hunks }, after), before)
  }
})

const filePath = '/work/a.ts'
const hunk = (...lines: string[]) => [{ oldStart: 1, oldLines: 1, newStart: 1, newLines: 1, lines }]

test('what Claude Code wrote is known where its result says it without doubt', () => {
  const edit = {
    filePath,
    oldString: 'b',
    newString: 'c',
    originalFile: '\tb\n',
    structuredPatch: hunk('-  b', '+  c'),
  }
  const known: [object, string | null, string][] = [
    [edit, '\tb\n', '\tc\n'],
    [{ type: 'create', filePath, content: 'x\n', originalFile: null, structuredPatch: [] }, null, 'x\n'],
    [
      { type: 'update', filePath, content: 'x\n', originalFile: 'y\n', structuredPatch: hunk('-y', '+x') },
      'y\n',
      'x\n',
    ],
    [{ ...edit, oldString: '\tb', newString: '', structuredPatch: hunk('-\tb') }, '\tb\n', ''],
    [{ ...edit, newString: '$&', structuredPatch: hunk('-\tb', '+\t$&') }, '\tb\n', '\t$&\n'],
    [
      {
        filePath,
        originalFileContents: 'a a\n',
        edits: [
          { old_string: 'a', new_string: 'b', replace_all: true },
          { old_string: 'b b', new_string: 'c' },
        ],
        structuredPatch: hunk('-a a', '+c'),
      },
      'a a\n',
      'c\n',
    ],
  ]
  for (const [result, before, after] of known) assert.deepEqual(writtenIn(result), [{ path: filePath, before, after }])
  const unknown = [
    { ...edit, userModified: true },
    { ...edit, originalFile: null },
    { ...edit, structuredPatch: hunk('-  b', '+  d') },
    { ...edit, structuredPatch: [] },
    { ...edit, oldString: 'z' },
    { ...edit, oldString: '' },
    { filePath },
    { type: 'update', filePath, content: 'x\n', originalFile: null },
  ]
  for (const result of unknown) assert.deepEqual(writtenIn(result), [{ path: filePath }], JSON.stringify(result))
  for (const other of ['words', undefined, { stdout: 'x' }]) assert.deepEqual(writtenIn(other), [])
})

test('what Gemini CLI and Qwen Code wrote is known where they display both contents', () => {
  const display = { filePath, fileDiff: '…', originalContent: 'a\n', newContent: 'b\n' }
  const answer = (output: unknown) => [{ functionResponse: { response: { output } } }]
  const changed = answer(`Successfully modified file: ${filePath} (1 replacements).`)
  const created = answer(`Successfully created and wrote to new file: ${filePath}.`)
  assert.deepEqual(writtenInGemini(display, changed), [{ path: filePath, before: 'a\n', after: 'b\n' }])
  const empty = { ...display, originalContent: '', newContent: '' }
  assert.deepEqual(writtenInGemini(empty, created), [{ path: filePath, before: null, after: '' }])
  const made = answer(`Created new file: ${filePath} with provided content.`)
  assert.deepEqual(writtenInGemini({ ...display, originalContent: null }, made), [
    { path: filePath, before: null, after: 'b\n' },
  ])
  const unknown: [object, unknown][] = [
    // Nothing says whether there was an empty file.
    [empty, changed],
    [empty, undefined],
    [empty, 'Successfully created'],
    [empty, [null, { functionResponse: 'x' }, ...answer(['Successfully created'])]],
    [{ ...display, originalContent: null }, changed],
    [{ ...display, originalContent: ['a'] }, changed],
    [{ ...display, newContent: undefined }, changed],
    [{ ...display, newContent: null }, created],
  ]
  for (const [one, said] of unknown)
    assert.deepEqual(writtenInGemini(one, said), [{ path: filePath }], JSON.stringify([one, said]))
  for (const other of ['Created a.ts', undefined, null, [display], { ...display, filePath: 1 }])
    assert.deepEqual(writtenInGemini(other, changed), [])
})

test('what Copilot CLI wrote is known where one tool edited or created one file', () => {
  const detailedContent = `\ndiff --git a${filePath} b${filePath}\n--- a${filePath}\n+++ b${filePath}\n@@ -1,2 +1,2 @@\n-a\n+b\n \n`
  const edit = { toolName: 'edit', arguments: { path: 'a.ts', old_str: 'a', new_str: 'b' } }
  const end = { success: true, fileEdits: [{ path: filePath, kind: 'edit' }], result: { detailedContent } }
  assert.deepEqual(writtenByCopilot(edit, end), [
    { path: filePath, hunks: '@@ -1,2 +1,2 @@\n-a\n+b\n \n', edit: { old: 'a', now: 'b', isForAll: false } },
  ])
  const create = { toolName: 'create', arguments: { path: 'a.ts', file_text: 'x\n' } }
  const created = { ...end, fileEdits: [{ path: filePath, kind: 'create' }] }
  assert.deepEqual(writtenByCopilot(create, created), [{ path: filePath, before: null, after: 'x\n' }])
  const unknown: [JsonFields, JsonFields][] = [
    [{}, end],
    [create, end],
    [edit, created],
    [{ ...edit, toolName: 'apply_patch' }, end],
    [{ ...edit, arguments: '*** Begin Patch' }, end],
    [{ ...edit, arguments: { old_str: 'a' } }, end],
    [{ ...create, arguments: { file_text: ['x'] } }, created],
    [edit, { ...end, result: 'done' }],
    [edit, { ...end, result: { detailedContent: 'a' } }],
  ]
  for (const [begun, one] of unknown)
    assert.deepEqual(writtenByCopilot(begun, one), [{ path: filePath }], JSON.stringify([begun, one]))
  const two = [...end.fileEdits, { path: '/work/b.ts', kind: 'edit' }]
  assert.deepEqual(writtenByCopilot(edit, { ...end, fileEdits: two }), [{ path: filePath }, { path: '/work/b.ts' }])
  for (const none of [{ ...end, success: false }, { ...end, fileEdits: 'x' }, { ...end, fileEdits: [{ path: 1 }] }, {}])
    assert.deepEqual(writtenByCopilot(edit, none), [])
})

test('what Factory Droid edited is known by the lines of its result', () => {
  const lines = [
    { type: 'unchanged', content: 'a', lineNumber: { old: 1, new: 1 } },
    { type: 'removed', content: 'b', lineNumber: { old: 2 } },
    { type: 'added', content: 'c', lineNumber: { new: 2 } },
    { type: 'unchanged', content: 'x', lineNumber: { old: 90, new: 90 } },
  ]
  const input = { file_path: filePath, old_str: 'b', new_str: 'c' }
  const use = { tool: 'Edit', files: [filePath] }
  const result = (diffLines: unknown) => ({ content: JSON.stringify({ success: true, diffLines }) })
  const hunks = '@@ -1 +1 @@\n@@ -1 +1 @@\n a\n-b\n+c\n@@ -90 +90 @@\n x\n'
  assert.deepEqual(writtenByDroid(use, input, result(lines)), [
    { path: filePath, hunks, edit: { old: 'b', now: 'c', isForAll: false } },
  ])
  const unknown = [
    writtenByDroid({ ...use, tool: 'Create' }, input, result(lines)),
    writtenByDroid(use, { old_str: 'b' }, result(lines)),
    ...[result('x'), { content: [] }, { content: '{' }, {}].map((one) => writtenByDroid(use, input, one)),
  ]
  for (const one of unknown) assert.deepEqual(one, [{ path: filePath }])
  assert.deepEqual(writtenByDroid({ tool: 'Edit' }, input, result(lines)), [])
  // Whatever else the lines are, they fit no content.
  for (const odd of [[null], [{ type: 'moved', content: 'b' }], [{ type: 'unchanged', content: 'a' }]])
    for (const written of writtenByDroid(use, input, result(odd)))
      assert.equal(contentBefore(written, 'a\nc\n'), undefined)
})

const words = fc.constantFrom(
  'a',
  'b',
  'ab',
  '\n',
  '\n\n',
  'a\n',
  '\nb',
  '\u2028',
  '\r',
  '-a',
  '+',
  '\\',
  '@@ -1 +1 @@\n',
)
const text = (maxLength: number) => fc.array(words, { maxLength }).map((some) => some.join(''))

/** The lines of a diff as the results of an agent have them. */
const shownBy: Record<string, (before: string, after: string) => string> = {
  // Line feeds are between its lines.
  copilot: (before, after) => hunksOf(`${before}\n`, `${after}\n`),
  // It does not say where the last line has none.
  droid: (before, after) => hunksOf(before, after).replaceAll('\\ No newline at end of file\n', ''),
}

function hunksOf(before: string, after: string): string {
  const { hunks } = structuredPatch('', '', before, after, '', '', { context: 3 })
  return hunks
    .map(({ oldStart, oldLines, newStart, newLines, lines }) =>
      [`@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`, ...lines].map((line) => `${line}\n`).join(''),
    )
    .join('')
}

for (const [agent, shown] of Object.entries(shownBy))
  test(`the content before an edit of ${agent} follows from the one after, or nothing does`, () => {
    let found = 0
    const change = fc.record({
      before: text(12),
      from: fc.nat(12),
      length: fc.nat(4),
      now: text(3),
      isForAll: fc.boolean(),
    })
    const runs = size(2_000, 50_000)
    fc.assert(
      fc.property(change, ({ before, from, length, now, isForAll }) => {
        const old = before.slice(from, from + length)
        const edit: TextReplacement = { old, now, isForAll }
        const isOnce = before.split(old).length === 2
        const after = isOnce || isForAll ? edited(before, edit) : undefined
        if (after === undefined || after === before) return
        const written: Written = { path: filePath, hunks: shown(before, after), edit }
        const [back, on] = [contentBefore(written, after), contentAfter(written, before)]
        if (back !== undefined) found++
        assert.equal(back ?? before, before)
        assert.equal(on ?? after, after)
      }),
      { numRuns: runs },
    )
    assert.ok(found > runs / 4, `${found} of ${runs}`)
  })
