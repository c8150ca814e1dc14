import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { structuredPatch } from 'diff'
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
