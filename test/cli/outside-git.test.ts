import assert from 'node:assert/strict'
import { readFileSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { structuredPatch } from 'diff'
import { transcriptDiffs } from '../../src/capture/work/transcript-diffs.ts'
import { transcriptOf } from '../agents/documents.ts'
import { freshFolder } from './folder.ts'
import { claudeIn, onlyRun, secret, syncAll } from './session.ts'
import { localUser, writeFiles } from './user.ts'

/** A session of Claude Code outside git that writes a transcript as the agent does. */
function session(t: TestContext) {
  const user = localUser(t)
  const { env, cwd } = user
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop" }', 'a.ts': 'one\ntwo\n' })
  const claude = claudeIn(cwd, env)
  const lines: object[] = []
  const say = (...more: object[]) => {
    lines.push(...more.map((line) => ({ ...line, cwd, timestamp: new Date().toISOString() })))
    claude.transcribe(...lines)
  }
  const answer = (content: object[], stop_reason: string) =>
    say({ type: 'assistant', message: { id: `m${lines.length}`, model: 'claude-haiku-4-5', content, stop_reason } })
  return {
    ...user,
    run: claude.run,
    prompt: async (text: string) => {
      await claude.prompt(text)
      say({ type: 'user', message: { content: text } })
    },
    write: async (path: string, after: string, before?: string) => {
      const [file_path, id] = [join(cwd, path), `toolu_${lines.length}`]
      answer([{ type: 'tool_use', id, name: 'Write', input: { file_path, content: after } }], 'tool_use')
      await claude.write(path, after)
      const { hunks } = structuredPatch('', '', before ?? '', after)
      say({
        type: 'user',
        message: { content: [{ type: 'tool_result', tool_use_id: id, content: '' }] },
        toolUseResult: {
          type: before === undefined ? 'create' : 'update',
          filePath: file_path,
          content: after,
          originalFile: before ?? null,
          structuredPatch: before === undefined ? [] : hunks,
        },
      })
    },
    stop: async () => {
      answer([{ type: 'text', text: 'Done.' }], 'end_turn')
      await claude.stop()
    },
    async diffs() {
      const [client, { runId }] = [await user.ledger(), await onlyRun(user)]
      const of = async (turn?: number) => {
        const { files } = await client.getDiff({ runId, ...(turn && { turn }) })
        return files.map(({ path, status, patch }) => [path, status, patch])
      }
      const { files } = await client.listRunFiles({ runId })
      return { of, files: files.map(({ path }) => path).sort() }
    },
  }
}

test('outside git, the diffs of a turn are what the transcript says', async (t) => {
  const { env, cwd, prompt, write, stop, run, diffs } = session(t)
  await prompt('Begin')
  await write('a.ts', 'one\n2\n', 'one\ntwo\n')
  await write('new.ts', `key = "${secret}"\n`)
  await stop()
  await syncAll(env)
  await prompt('Go on')
  await write('a.ts', 'one\n2\nthree\n', 'one\n2\n')
  await write('b.ts', 'b\n')
  await run('echo x >> b.ts')
  await stop()
  await syncAll(env)
  const { of, files } = await diffs()
  assert.deepEqual(files, ['a.ts', 'b.ts', 'new.ts'])
  assert.deepEqual(await of(1), [
    ['a.ts', 'modified', '@@ -1,2 +1,2 @@\n one\n-two\n+2\n'],
    ['new.ts', 'added', '@@ -0,0 +1 @@\n+key = "[masked]"\n'],
  ])
  // A command changed b.ts after the tool, which no transcript shows.
  assert.deepEqual(await of(2), [['a.ts', 'modified', '@@ -1,2 +1,3 @@\n one\n 2\n+three\n']])
  assert.deepEqual((await of())[0], ['a.ts', 'modified', '@@ -1,2 +1,3 @@\n one\n-two\n+2\n+three\n'])
  // Nothing of it stays in the state.
  assert.ok(!readFileSync(join(cwd, '../.local/state/conduct/state.db')).includes(secret))
})

test('where a transcript has only what changed, the content before follows from the file', async (t) => {
  const cwd = freshFolder(t)
  const at = (second: number) => Date.UTC(2026, 10, 25, 0, 0, second)
  const line = (second: number, type: string, payload: object) =>
    `${JSON.stringify({ timestamp: new Date(at(second)).toISOString(), type, payload })}\n`
  const item = (second: number, unified_diff: string, path = 'a.ts') => {
    const changes = { [join(cwd, path)]: { type: 'update', unified_diff, move_path: null } }
    return line(second, 'event_msg', {
      type: 'item_completed',
      item: { type: 'FileChange', id: `i${second}`, changes, status: 'completed' },
    })
  }
  const prompt = (second: number) => line(second, 'event_msg', { type: 'user_message', message: 'Go' })
  const end = (second: number) => line(second, 'event_msg', { type: 'task_complete', last_agent_message: 'Done.' })
  const text = [
    line(0, 'session_meta', { id: 's', cwd }),
    ...[prompt(1), item(2, '@@ -1,2 +1,2 @@\n-one\n+1\n two\n'), end(3)],
    ...[prompt(4), item(5, '@@ -1,2 +1,3 @@\n 1\n+1.5\n two\n'), item(6, '@@ -1 +1 @@\n-x\n+y\n', 'b.ts'), end(7)],
  ]
  writeFiles(cwd, { 'rollout.jsonl': text.join(''), 'a.ts': '1\n1.5\ntwo\n', 'b.ts': 'z\n' })
  const transcript = join(cwd, 'rollout.jsonl')
  const told = () =>
    transcriptDiffs({
      ...{ agent: 'codex', transcript, subagents: [], cwd, isWithheld: false },
      ...{ since: at(1), from: at(4), until: at(7) },
    })
  // Somebody wrote to it after the tools, maybe where they did not.
  assert.deepEqual(await told(), [])
  for (const file of ['a.ts', 'b.ts']) utimesSync(join(cwd, file), at(5) / 1_000, at(5) / 1_000)
  const diffs = await told()
  // b.ts is not what the transcript says.
  assert.deepEqual(
    diffs.map(({ path, change, whole }) => [path, change?.patch, whole?.patch]),
    [['a.ts', '@@ -1,2 +1,3 @@\n 1\n+1.5\n two\n', '@@ -1,2 +1,3 @@\n-one\n+1\n+1.5\n two\n']],
  )
})

test('a file that is older than the run is no new one', async (t) => {
  const cwd = freshFolder(t)
  const at = Date.now() + 60_000
  const line = (second: number, payload: object) =>
    `${JSON.stringify({ timestamp: new Date(at + second * 1_000).toISOString(), type: 'event_msg', payload })}\n`
  const changes = { [join(cwd, 'a.ts')]: { type: 'add', content: 'a\n' } }
  const item = { type: 'FileChange', id: 'i', changes, status: 'completed' }
  const text = [
    ...[line(1, { type: 'user_message', message: 'Go' }), line(2, { type: 'item_completed', item })],
    line(3, { type: 'task_complete', last_agent_message: 'Done.' }),
  ]
  writeFiles(cwd, { 'rollout.jsonl': text.join(''), 'a.ts': 'a\n' })
  const since = async (began: number) => {
    const transcript = join(cwd, 'rollout.jsonl')
    const told = { agent: 'codex', transcript, subagents: [], cwd, isWithheld: false }
    const diffs = await transcriptDiffs({ ...told, since: began, from: began, until: at + 4_000 })
    return diffs.map(({ path, change }) => [path, change?.status])
  }
  assert.deepEqual(await since(0), [['a.ts', 'added']])
  // Codex adds files over others, too. Some file systems do not know when a file was created.
  const isKnown = statSync(join(cwd, 'a.ts')).birthtimeMs > 0
  assert.deepEqual(await since(at), isKnown ? [] : [['a.ts', 'added']])
})

const files = {
  'src/greet.js': "export const greet = (name) => 'Good day, ' + name\n",
  'notes.txt': 'One.\nTwo.\n',
  'README.md': '# Hello\n\nMore.',
  'many.txt': 'z\nz\nw\nz\n',
  'gone.txt': 'one\nthree\n',
}
const greeted = [
  'src/greet.js',
  'modified',
  "@@ -1 +1 @@\n-export const greet = (name) => 'Hi ' + name\n+export const greet = (name) => 'Good day, ' + name\n",
]
const gone = ['gone.txt', 'modified', '@@ -1,3 +1,2 @@\n one\n-two\n three\n']
const many = ['many.txt', 'modified', '@@ -1,4 +1,4 @@\n-x\n-x\n-y\n-x\n+z\n+z\n+w\n+z\n']
const notes = ['notes.txt', 'added', '@@ -0,0 +1,2 @@\n+One.\n+Two.\n']
const readme = [
  'README.md',
  'modified',
  '@@ -1 +1,3 @@\n-# Greetings\n+# Hello\n+\n+More.\n\\ No newline at end of file\n',
]

/** What the tools of the agents left in a session, and what its transcript proves of it. */
const sessions: Record<string, { left?: Record<string, string>; proven: string[][] }> = {
  gemini: { proven: [readme, gone, many, notes, greeted] },
  qwen: { proven: [readme, gone, many, notes, greeted] },
  // Whether there was a file before, only Droid knew.
  droid: { left: { 'README.md': '# Hello\n\nMore.\n' }, proven: [gone, many, greeted] },
  // It writes over no file, and replaces one text only.
  copilot: {
    left: { 'README.md': '# Greetings\n', 'many.txt': 'x\nx\nw\nx\n' },
    proven: [gone, ['many.txt', 'modified', '@@ -1,4 +1,4 @@\n x\n x\n-y\n+w\n x\n'], notes, greeted],
  },
}

for (const [agent, { left, proven }] of Object.entries(sessions)) {
  const lay = (t: TestContext) => {
    const cwd = freshFolder(t)
    const text = readFileSync(transcriptOf(`${agent}-written`), 'utf8').replaceAll('/home/demo/greetings', cwd)
    writeFiles(cwd, { 'transcript.jsonl': text, ...files, ...left })
    for (const file of Object.keys(files)) utimesSync(join(cwd, file), 0, 0)
    const diffs = async (from = 0, until = Date.now()) => {
      const transcript = join(cwd, 'transcript.jsonl')
      const told = { agent, transcript, subagents: [], cwd, isWithheld: false, since: 0 }
      const found = await transcriptDiffs({ ...told, from, until })
      return found
        .map(({ path, change, whole }) => [path, change?.status, change?.patch, ...(whole ? [whole] : [])])
        .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
    }
    return { cwd, text, diffs }
  }
  const but = (...paths: string[]) => proven.filter(([path = '']) => !paths.includes(path))

  test(`outside git, the diffs of ${agent} are what its transcript proves`, async (t) => {
    const { cwd, diffs } = lay(t)
    assert.deepEqual(await diffs(), proven)
    // What somebody else changed afterwards, no transcript shows.
    writeFiles(cwd, { 'gone.txt': 'one\nsix\n', 'notes.txt': 'One.\n' })
    assert.deepEqual(await diffs(), but('gone.txt', 'notes.txt'))
  })

  test(`outside git, no tool of ${agent} that failed or was refused wrote anything`, async (t) => {
    const { cwd, text, diffs } = lay(t)
    const refused = text
      .replaceAll('"status":"success"', '"status":"cancelled"')
      .replaceAll('"success":true', '"success":false')
      .replaceAll('"is_error":false', '"is_error":true')
    writeFiles(cwd, { 'transcript.jsonl': refused })
    assert.deepEqual(await diffs(), [])
  })

  test(`a turn of ${agent} has what was written in it, also where nothing in the transcript ends it`, async (t) => {
    const { text, diffs } = lay(t)
    const failed = text.split('\n').find((line) => line.includes('not there')) ?? ''
    const at = Date.parse((JSON.parse(failed) as { timestamp: string }).timestamp)
    assert.deepEqual(await diffs(0, at), but('gone.txt', 'many.txt'))
    assert.deepEqual(await diffs(at), but('README.md', 'notes.txt', 'src/greet.js'))
  })
}
