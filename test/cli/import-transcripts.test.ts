import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { testLedger } from '../support/engines.ts'
import { entered, exchange, project, write } from './past-sessions.ts'

testLedger('a line of a transcript whose time no ledger takes happened with the line before', async (ledger, t) => {
  const { run, claude, work } = entered(t, ledger)
  const [first, second] = [exchange(1, work, 'One.'), exchange(2, work, 'Two.')]
  const odd = second.map((line) => line.replace('2026-11-25T00:00:02', '+010000-01-01T00:00:00'))
  write(claude, [...first, ...odd].join(''))
  await run('claude')
  const { turns } = await ledger.as({ project }).listTurns({ runId: 'RUN-001' })
  assert.deepEqual(
    turns.map(({ prompt, endedAt }) => [prompt, endedAt]),
    [
      ['One.', '2026-11-25T00:00:01.500Z'],
      ['Two.', '2026-11-25T00:00:01.500Z'],
    ],
  )
})

testLedger(
  'files with broken lines, endless lines and circular links are imported as far as possible, and each problem is listed',
  async (ledger, t) => {
    const { run, claude, home, work } = entered(t, ledger)
    const broken = [
      ...exchange(1, work, 'One'),
      '{"type":"user" broken}\n',
      '\0\0\0\n',
      'x'.repeat(20 << 20),
      '\n',
      ...exchange(2, work, 'Nul \0'),
    ]
    write(claude, broken.join(''))
    const folder = dirname(claude)
    symlinkSync(folder, join(folder, 'circle'))
    mkdirSync(join(folder, 'folder.jsonl'))
    const huge = join(folder, '00000000-0000-0000-0000-000000000000.jsonl')
    writeFileSync(huge, '')
    truncateSync(huge, 2 ** 26)
    const { counts, unplaced } = await run('claude')
    assert.deepEqual([counts.sessions, counts.turns], [1, 2])
    const told = unplaced.map(({ file, line, reason }: { file: string; line?: number; reason: string }) => [
      file.slice(home.length),
      line,
      reason,
    ])
    const [at, long] = [claude.slice(home.length), 'it is longer than 16 MiB']
    assert.deepEqual(
      told.filter(([, line]: unknown[]) => line !== undefined),
      [
        [huge.slice(home.length), 1, long],
        [at, 3, 'it is not a JSON object'],
        [at, 4, 'it is not a JSON object'],
        [at, 5, long],
      ],
    )
    assert.ok(told.some(([file]: string[]) => file?.endsWith('circle')))
  },
)

testLedger('a fork of a session is imported without what it copies', async (ledger, t) => {
  const { run, claude, work } = entered(t, ledger)
  const copy = exchange(1, work, 'One').map((line) => line.replace('"type":"assistant"', '$&,"requestSessionId":"s-1"'))
  write(claude, [...copy, ...exchange(2, work, 'Two')].join(''))
  await run('claude')
  const client = ledger.as({ project })
  const { turns } = await client.listTurns({ runId: 'RUN-001' })
  assert.deepEqual(
    turns.map(({ prompt, answer, usage }) => [prompt, answer, usage?.inputTokens]),
    [['Two', 'Answer 2.', 10]],
  )
  const { run: fork } = await client.getRun({ runId: 'RUN-001' })
  assert.deepEqual([fork.title, fork.usage?.inputTokens], ['Two', 10])
})
