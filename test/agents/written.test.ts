import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writtenIn } from '../../src/recorder/agents/claude/written.ts'
import { applied } from '../../src/recorder/transcripts/written.ts'

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
