import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claudeIn, onlyRun, syncAll, turnsOf, workplace } from './session.ts'

for (const isSent of [false, true]) {
  test(`the files of a turn are those until the next message came${isSent ? ', also if they were sent at once' : ''}`, async (t) => {
    const user = workplace(t)
    const { env, cwd } = user
    const claude = claudeIn(cwd, env)
    const now = (line: object) => ({ ...line, timestamp: new Date().toISOString() })
    const said = (id: string, text: string, input_tokens: number) => ({
      type: 'assistant',
      message: {
        ...{ id, model: 'm', stop_reason: 'end_turn', content: [{ type: 'text', text }] },
        usage: { input_tokens, output_tokens: 1 },
      },
    })
    const sent = async () => isSent && (await syncAll(env))
    await claude.tell('UserPromptSubmit', { prompt: 'One', prompt_id: 'p' })
    const lines = [now({ type: 'user', promptId: 'p', message: { role: 'user', content: 'One' } })]
    claude.transcribe(...lines)
    await claude.write('one.txt', 'One line.\n')
    await claude.run('echo line > run.txt')
    lines.push(now(said('m1', 'I write one.', 10)))
    claude.transcribe(...lines)
    await claude.tell('UserPromptSubmit', { prompt: 'Two', prompt_id: 'p' })
    await sent()
    const attachment = { type: 'queued_command', commandMode: 'prompt', prompt: 'Two' }
    lines.push(now({ type: 'attachment', attachment }))
    await claude.write('two.txt', 'Two\nlines.\n')
    await sent()
    claude.transcribe(...lines, now(said('m2', 'Both are written.', 20)))
    await claude.tell('Stop', { prompt_id: 'p', last_assistant_message: 'Both are written.' })
    await claude.end()
    await syncAll(env)
    assert.deepEqual(
      (await turnsOf(user)).map(({ prompt, answer, files, usage }) => [
        ...[prompt, answer, usage?.inputTokens],
        ...(files ?? []).map(({ path, insertions }) => `${path} ${insertions}`).sort(),
      ]),
      [
        ['One', 'I write one.', 10, 'one.txt 1', 'run.txt 1'],
        ['Two', 'Both are written.', 20, 'two.txt 2'],
      ],
    )
    assert.deepEqual((await onlyRun(user)).changes, { files: 3, insertions: 4, deletions: 0 })
  })
}
