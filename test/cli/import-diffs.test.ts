import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { structuredPatch } from 'diff'
import type { Output } from '../../src/client/client.ts'
import { type Ledger, testLedger } from '../support/engines.ts'
import { entered, exchange, project, write } from './past-sessions.ts'
import { conductHere } from './program.ts'
import { secret } from './session.ts'
import { gitIn } from './user.ts'

type Files = Output<'getDiff'>['files']

/** A tool of Claude Code and its result, at a second of the session. */
function used(second: number, name: string, input: object, toolUseResult: object) {
  const timestamp = `2026-11-25T00:00:${String(second).padStart(2, '0')}.100Z`
  const id = `toolu_${second}`
  const content = [{ type: 'tool_use', id, name, input }]
  return [
    { type: 'assistant', message: { id, model: 'claude-haiku-4-5', content, stop_reason: 'tool_use' }, timestamp },
    {
      type: 'user',
      message: { content: [{ type: 'tool_result', tool_use_id: id, content: '' }] },
      toolUseResult,
      timestamp,
    },
  ].map((line) => `${JSON.stringify(line)}\n`)
}

function edit(second: number, filePath: string, originalFile: string, oldString: string, newString: string) {
  const after = originalFile.replace(oldString, newString)
  const { hunks } = structuredPatch('', '', originalFile, after)
  const result = { filePath, oldString, newString, originalFile, structuredPatch: hunks, userModified: false }
  return used(second, 'Edit', { file_path: filePath, old_string: oldString, new_string: newString }, result)
}

const create = (second: number, filePath: string, content: string) =>
  used(second, 'Write', { file_path: filePath, content }, { type: 'create', filePath, content, originalFile: null })

/** A turn of a prompt and an answer, with tools between them. */
function turn(n: number, work: string, ...tools: string[][]): string[] {
  const [prompt = '', answer = ''] = exchange(n, work, `Turn ${n}.`)
  return [prompt, ...tools.flat(), answer]
}

async function diffsOf({ as }: Ledger, runId = 'RUN-001') {
  const client = as({ project })
  const shown = (files: Files) => files.map(({ path, status, patch }) => [path, status, patch])
  const of = async (n?: number) => shown((await client.getDiff({ runId, ...(n && { turn: n }) })).files)
  return { client, of }
}

testLedger('an import of Claude Code has the diffs that its transcript says', async (ledger, t) => {
  const { run, claude, work, env } = entered(t, ledger)
  const [a, b, c] = ['a.ts', 'new.ts', 'sub/c.ts'].map((path) => join(work, path)) as [string, string, string]
  const old = 'one\ntwo\nthree\n'
  write(
    claude,
    [
      ...turn(1, work, edit(1, a, old, 'one', '1'), edit(1, a, '1\ntwo\nthree\n', 'three', '3'), create(1, b, 'new\n')),
      ...turn(2, work, edit(2, a, '1\ntwo\n3\n', '3', 'III'), create(2, c, `key = "${secret}"\n`)),
      ...turn(3, work, edit(3, a, '1\ntwo\nIII\n', '1\ntwo\nIII', 'one\ntwo\nthree')),
    ].join(''),
  )
  await run('claude')
  const { of, client } = await diffsOf(ledger)
  assert.deepEqual(await of(1), [
    ['a.ts', 'modified', '@@ -1,3 +1,3 @@\n-one\n+1\n two\n-three\n+3\n'],
    ['new.ts', 'added', '@@ -0,0 +1 @@\n+new\n'],
  ])
  assert.deepEqual(await of(2), [
    ['a.ts', 'modified', '@@ -1,3 +1,3 @@\n 1\n two\n-3\n+III\n'],
    ['sub/c.ts', 'added', '@@ -0,0 +1 @@\n+key = "[masked]"\n'],
  ])
  assert.deepEqual(
    await of(),
    [
      ['new.ts', 'added', '@@ -0,0 +1 @@\n+new\n'],
      ['sub/c.ts', 'added', '@@ -0,0 +1 @@\n+key = "[masked]"\n'],
    ],
    'the third turn made a.ts as it was',
  )
  const { files } = await client.getDiff({ runId: 'RUN-001', path: 'sub/' })
  assert.equal(files[0]?.masked, true)
  await run('claude')
  assert.equal((await client.getDiff({ runId: 'RUN-001' })).files.length, 2)

  writeFileSync(join(work, 'a.ts'), old)
  const { stdout } = await conductHere(
    ['run', 'diff', 'RUN-001', '--turn', '1', '--patch', '--project', project],
    env,
    work,
  )
  execFileSync('git', ['apply'], { cwd: work, input: stdout })
  assert.deepEqual([readFileSync(a, 'utf8'), readFileSync(b, 'utf8')], ['1\ntwo\n3\n', 'new\n'])
})

testLedger('an import leaves out what its transcript does not say for sure', async (ledger, t) => {
  const { run, claude, work } = entered(t, ledger)
  const file = (name: string) => join(work, name)
  const unknown = used(1, 'NotebookEdit', { notebook_path: file('n.ipynb') }, { notebook_path: file('n.ipynb') })
  write(
    claude,
    [
      ...turn(
        1,
        work,
        // Something else changed the file between the edits.
        edit(1, file('between.ts'), 'one\ntwo\n', 'one', '1'),
        edit(2, file('between.ts'), '1\nzwei\n', '1', 'I'),
        used(3, 'Edit', { file_path: file('unsure.ts') }, { filePath: file('unsure.ts'), userModified: true }),
        create(4, '/elsewhere/x.ts', 'x\n'),
        unknown,
      ),
      ...turn(2, work, edit(5, file('unsure.ts'), 'a\n', 'a', 'b'), edit(6, file('between.ts'), 'I\nzwei\n', 'I', 'i')),
    ].join(''),
  )
  await run('claude')
  const { of, client } = await diffsOf(ledger)
  assert.deepEqual(await of(1), [])
  assert.ok(((await client.getDiff({ runId: 'RUN-001', turn: 1 })).meta.omitted ?? 0) >= 2)
  assert.deepEqual(await of(2), [['between.ts', 'modified', '@@ -1,2 +1,2 @@\n-I\n+i\n zwei\n']])
  assert.deepEqual(await of(), [['between.ts', 'modified', '@@ -1,2 +1,2 @@\n-one\n-two\n+i\n+zwei\n']])
})

testLedger('an import withholds the text of diffs where the project does', async (ledger, t) => {
  const { run, claude, work } = entered(t, ledger)
  writeFileSync(join(work, 'conduct.json'), JSON.stringify({ project, record: { changes: false } }))
  write(claude, turn(1, work, create(1, join(work, 'a.ts'), 'secret\n')).join(''))
  await run('claude')
  const { files } = await (await diffsOf(ledger)).client.getDiff({ runId: 'RUN-001' })
  assert.deepEqual(files, [{ path: 'a.ts', turn: 1, status: 'added', insertions: 1, deletions: 0, withheld: true }])
})

testLedger('an import of Codex has the diffs of files whose content it or git knows', async (ledger, t) => {
  const { run, codex, work } = entered(t, ledger)
  const git = gitIn(work)
  git('init', '-q')
  mkdirSync(join(work, 'src'))
  writeFileSync(join(work, 'src/app.js'), "console.log('hi')\n")
  writeFileSync(join(work, 'other.js'), 'other\n')
  git('add', '-A')
  git('commit', '-q', '-m', 'first')
  const base = git('rev-parse', 'HEAD')
  const lines = readFileSync(codex, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const change = lines.find(({ payload }) => payload?.item?.type === 'FileChange')
  for (const { type, payload } of lines) if (type === 'session_meta') payload.git = { commit_hash: base }
  const more = (second: number, changes: object) => {
    const { item, ...rest } = change.payload
    return { ...change, payload: { ...rest, item: { ...item, id: `more-${second}`, changes } } }
  }
  const at = (path: string) => join(work, path)
  const added = [
    more(1, { [at('new.js')]: { type: 'add', content: 'one\n' } }),
    more(2, { [at('new.js')]: { type: 'update', unified_diff: '@@ -1 +1,2 @@\n one\n+two\n', move_path: null } }),
    more(3, { [at('other.js')]: { type: 'update', unified_diff: '@@ -1 +1 @@\n-dirty\n+clean\n', move_path: null } }),
  ]
  lines.splice(lines.indexOf(change) + 1, 0, ...added)
  write(codex, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  await run('codex')
  const { of } = await diffsOf(ledger)
  assert.deepEqual(await of(), [
    ['new.js', 'added', '@@ -0,0 +1,2 @@\n+one\n+two\n'],
    ['src/app.js', 'modified', "@@ -1 +1 @@\n-console.log('hi')\n+console.log('hello')\n"],
    ['src/greet.js', 'added', '@@ -0,0 +1,2 @@\n+export const greet = () => 1\n+export const two = 2\n'],
  ])
})
