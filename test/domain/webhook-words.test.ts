import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '../../src/log/fields.ts'
import { shownUrl } from '../../src/nouns/webhook/rules.ts'
import { type EventOfRun, type MessageNaming, saidOf } from '../../src/nouns/webhook/words.ts'

const now = '2026-01-31T09:30:00.000Z'
const naming: MessageNaming = { isWhole: false, publicUrl: 'https://ci.example/conduct', types: [], now }

let seq = 0
const entry = (
  subject: string,
  type: Event['type'],
  changes: Event['changes'] = {},
  run: Partial<EventOfRun['run']> = {},
): EventOfRun => ({
  event: {
    seq: ++seq,
    id: `${seq}-0`,
    project: 'shop',
    type,
    subject,
    subjectId: 1,
    actor: { kind: 'key', name: 'laptop' },
    at: now,
    changes,
  },
  run: {
    title: 'Log in with a passkey',
    agent: 'claude-code',
    author: 'Mateo Silva <mateo@example.com>',
    state: 'waiting',
    ...run,
  },
})
const waits = (subject: string, tool: string) => entry(subject, 'run.waiting', { tool: [null, tool] })
const ends = (subject: string, status: string, failure?: { code: string; message: string }) =>
  entry(
    subject,
    'run.updated',
    { status: ['in_progress', status], ...(failure && { failure: [null, failure] }) },
    { state: undefined },
  )
const failed = { code: 'AGENT_FAILED', message: 'tests failed\nand more' }
const sentence = (...entries: EventOfRun[]) => saidOf(entries, naming)?.sentence

test('one event is one sentence with a link to its run', () => {
  assert.deepEqual(saidOf([waits('RUN-014', 'Bash')], naming), {
    sentence: "Mateo Silva's claude-code waits for Bash in RUN-014 · Log in with a passkey",
    link: 'https://ci.example/conduct/#/runs/shop/RUN-014',
    projects: ['shop'],
  })
  assert.equal(saidOf([waits('RUN-014', 'Bash')], { ...naming, publicUrl: undefined })?.link, undefined)
  assert.match(
    saidOf([waits('RUN-014', 'Bash')], { ...naming, isWhole: true })?.sentence ?? '',
    / waits for Bash in shop\/RUN-014 · /,
  )
  for (const [event, words] of [
    [entry('R', 'run.waiting', {}, { author: null, title: null }), 'claude-code waits in R'],
    [
      entry('R', 'run.idle', { turnSeconds: [null, 850] }, { author: null, title: null }),
      'claude-code is idle after 14 min in R',
    ],
    [ends('R', 'completed'), "Mateo Silva's claude-code completed R · Log in with a passkey"],
    [
      ends('R', 'failed', failed),
      "Mateo Silva's claude-code failed in R: tests failed and more · Log in with a passkey",
    ],
    [
      ends('R', 'failed', { code: 'LEASE_EXPIRED', message: '' }),
      "Mateo Silva's claude-code vanished from R · Log in with a passkey",
    ],
    [
      entry(
        'R',
        'run.updated',
        { verdict: ['verified', 'failing'], why: [null, '`tests` fails'] },
        { title: null, agent: null },
      ),
      'R of Mateo Silva fails its checks: `tests` fails',
    ],
    [{ ...ends('R', 'completed'), run: undefined }, 'R completed'],
  ] as const) {
    assert.equal(sentence(event), words)
  }
})

test('a name or title turns no text after it, and hides nothing', () => {
  const turn = '\u202e'
  const run = {
    agent: `codex${turn}`,
    author: `Ada\u200b ${turn}<ada@example.com>`,
    title: `Lo\u2060g in ${turn}\u{e0041}`,
  }
  assert.equal(
    sentence(entry('R', 'run.waiting', { tool: [null, `Ba${turn}sh`] }, run)),
    "Ada's codex waits for Bash in R · Log in",
  )
  assert.equal(
    sentence(entry('R', 'run.waiting', {}, { ...run, title: 'دخول 👩\u200d💻' })),
    "Ada's codex waits in R · دخول 👩\u200d💻",
  )
  assert.equal(sentence(entry('R', 'run.waiting', {}, { ...run, title: turn })), "Ada's codex waits in R")
})

test('what nobody needs to know is no message', () => {
  const old = waits('R', 'Bash')
  const before = { ...old, event: { ...old.event, at: '2026-01-31T09:20:00.000Z' } }
  const imported = ends('R', 'failed', failed)
  for (const none of [
    entry('R', 'run.updated', { title: ['a', 'b'] }),
    entry('R', 'run.updated', { verdict: ['failing', 'verified'] }),
    entry('R', 'run.created', { status: [null, 'in_progress'] }),
    entry('S', 'spec.updated', { title: ['a', 'b'] }),
    { ...imported, event: { ...imported.event, imported: true as const } },
    { ...before, run: { title: null, agent: null, author: null, state: 'working' } },
  ]) {
    assert.equal(sentence(none), undefined, JSON.stringify(none.event))
  }
  assert.match(sentence(before) ?? '', /waits/, 'it waits still')
})

test('several events are a digest that names at most five runs, the most urgent first', () => {
  assert.equal(
    sentence(
      ends('R-1', 'completed'),
      ends('R-2', 'completed'),
      ends('R-3', 'completed'),
      ends('R-9', 'failed', failed),
      waits('R-14', 'Edit'),
    ),
    '5 runs: 1 waits (R-14 for Edit), 1 failed (R-9: tests failed and more), 3 completed',
  )
  const many = Array.from({ length: 7 }, (_, n) => waits(`R-${n + 1}`, 'Bash'))
  const all = ['R-1', 'R-2', 'R-3', 'R-4', 'R-5'].map((run) => `${run} for Bash`).join(', ')
  assert.equal(sentence(...many, ends('F', 'failed')), `8 runs: 7 wait (${all}, 2 more), 1 failed (1 more)`)
  assert.equal(saidOf(many, naming)?.link, 'https://ci.example/conduct/#/')
  assert.match(sentence(waits('R', 'Bash'), ends('R', 'completed')) ?? '', /^\S+ \S+ claude-code completed R /)
  const failing = entry('R', 'run.updated', { verdict: ['verified', 'failing'] })
  assert.match(sentence(failing, ends('R', 'completed')) ?? '', / fails the checks of R /)
})

test('the types that a webhook asks for are told, too', () => {
  const asks = { ...naming, types: ['spec.updated', 'run.updated', 'run.created'] as const }
  const spec = { ...entry('SPEC-1', 'spec.updated', { title: ['a', 'b'] }), run: undefined }
  assert.equal(saidOf([spec], asks)?.sentence, 'laptop updated spec SPEC-1')
  assert.equal(saidOf([entry('R', 'run.updated', { title: ['a', 'b'] })], asks), undefined)
  assert.equal(saidOf([entry('R', 'run.created')], asks)?.sentence, 'laptop created run R · Log in with a passkey')
  const other = { ...spec, event: { ...spec.event, seq: ++seq } }
  assert.equal(saidOf([spec, other], asks)?.sentence, '2 changes')
  assert.equal(
    saidOf([spec, waits('R-1', 'Edit'), other, ends('R-2', 'completed')], asks)?.sentence,
    '2 runs: 1 waits (R-1 for Edit), 1 completed, 2 other changes',
  )
})

test('a URL is shown without what may be a secret', () => {
  for (const [url, shown] of [
    ['https://hooks.slack.com/services/T0/B0/xyz', 'https://hooks.slack.com/ser…'],
    ['https://ntfy.sh/abc', 'https://ntfy.sh/a…'],
    ['https://ntfy.example:8443/?auth=secret', 'https://ntfy.example:8443/?au…'],
    ['https://gotify.example/message?token=secret', 'https://gotify.example/mes…'],
    ['https://example.com/', 'https://example.com/'],
    ['[erased]', '[erased]'],
  ] as const) {
    assert.equal(shownUrl(url), shown)
    assert.equal(shownUrl(shown), shown)
  }
})
