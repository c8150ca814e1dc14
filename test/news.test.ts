import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newsOf, sentenceOf } from '../src/contract/news.ts'

const event = (changes: Record<string, [unknown, unknown]>, type = 'run.updated') => ({ type, changes })
const completed = event({ status: ['in_progress', 'completed'] })

test('a run that completes while its checks fail is told as that', () => {
  assert.deepEqual(newsOf(completed), { kind: 'completed' })
  assert.deepEqual(newsOf(completed, { verdict: 'verified' }), { kind: 'completed' })
  assert.deepEqual(newsOf(completed, { verdict: 'failing', why: 'tests failed' }), {
    kind: 'failing',
    detail: 'tests failed',
  })
})

test('a sentence is about the agent, or about the run if no agent worked on it', () => {
  const author = 'Ada Example <ada@example.com>'
  const failed = { kind: 'failed', detail: 'exit code 1' } as const
  for (const [news, run, words] of [
    [failed, { author, agent: 'codex' }, "Ada Example's codex failed in RUN-7: exit code 1"],
    [failed, { agent: 'codex' }, 'codex failed in RUN-7: exit code 1'],
    [failed, { author }, 'RUN-7 of Ada Example failed: exit code 1'],
    [failed, {}, 'RUN-7 failed: exit code 1'],
    [{ kind: 'failing', detail: 'tests failed' }, { author }, 'RUN-7 of Ada Example fails its checks: tests failed'],
    [{ kind: 'failing' }, { agent: 'codex' }, 'codex fails the checks of RUN-7'],
    [{ kind: 'waiting', detail: 'Bash' }, { agent: 'codex' }, 'codex waits for Bash in RUN-7'],
    [{ kind: 'waiting' }, {}, 'RUN-7 waits'],
    [{ kind: 'vanished' }, { agent: 'codex' }, 'codex vanished from RUN-7'],
    [{ kind: 'vanished' }, {}, 'RUN-7 vanished'],
    [{ kind: 'idle', detail: '14 min' }, { agent: 'codex' }, 'codex is idle after 14 min in RUN-7'],
    [{ kind: 'completed' }, { agent: 'codex' }, 'codex completed RUN-7'],
    [{ kind: 'completed' }, { author }, 'RUN-7 of Ada Example completed'],
  ] as const) {
    assert.equal(sentenceOf(news, run, 'RUN-7'), words)
  }
})
