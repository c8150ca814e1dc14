import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type Ledger, testLedger } from '../support/engines.ts'
import { freshFolder, homeOf } from './folder.ts'
import { conductHere } from './program.ts'
import { writeFiles } from './user.ts'

const bundle = '2026-03-01-new-1a2b3c4d-spec'
const untracked = '.conduct/specs/2026-03-07-new-2b3c4d5e-spec'
const reports = `.conduct/specs/${bundle}/phase-reports`
const header = 'timestamp,model,launcher,command,agent_name,phase(s),path\n'
const lineOf = (time: string, command: string, phase: string, path: string) =>
  `2026-03-0${time},a-model,An agent,${command},unknown-agent,${phase},${path}\n`

interface Unplaced {
  file: string
  line?: number
  reason: string
}

const files = {
  '.conduct/logs.csv':
    header +
    lineOf('1T10:00:00Z', 'spec', '', `.conduct/specs/${bundle}`) +
    lineOf('2T10:00:00Z', 'execute', 'PHASE_00', `${reports}/PHASE_00-a.md`) +
    lineOf('2T11:00:00Z', 'execute', 'PHASE_01', `${reports}/PHASE_01-b.md`) +
    lineOf('3T10:00:00Z', 'audit', '', '.conduct/audits/one.md') +
    lineOf('4T10:00:00Z', 'execute-issue', '', '.conduct/issue-completions/done.md') +
    lineOf('5T10:00:00Z', 'execute', 'PHASE_02', `${reports}/gone.md`) +
    'yesterday,a-model,An agent,execute,,,\n',
  [`.conduct/specs/${bundle}/logs.csv`]:
    header +
    lineOf('2T10:00:00Z', 'execute', 'PHASE_00', `${reports}/PHASE_00-a.md`) +
    lineOf('6T10:00:00Z', 'execute', 'PHASE_03', `${reports}/PHASE_00-a.md`),
  '.conduct/tracker.csv':
    'id, desc, status, completedAt, completionDoc\n' +
    `${bundle},"Build a shop, with search",0,,\n` +
    '2026-03-04-bug-issue,The search finds nothing,1,2026-03-04T10:00:00Z,done\nSHOP-1,Move the tills,0,,\n',
  [`.conduct/specs/${bundle}/PLAN.md`]: '# Plan\n',
  [`.conduct/specs/${bundle}/SPEC.md`]: '# A shop\n\n- [x] Sell\n',
  [`${untracked}/SPEC.md`]: '# A till\n',
  [`.conduct/specs/${bundle}/phases/PHASE_00.md`]: '# Phase 0\n',
  [`${reports}/PHASE_00-a.md`]: '# First report\n\n- Status: PASS\n',
  [`${reports}/PHASE_01-b.md`]: '# Second report\n\n## Status\n\n**BLOCKED — keys are missing**\n',
  '.conduct/audits/one.md':
    '# Audit\n\n| Overall result | **PARTIAL — a part** |\n\n| Requirement | Result | Why |\n|---|---|---|\n' +
    '| `UI-001` | PASS | Works |\n| `UI-002` | FAIL | Does not |\n| `UI-003` | UNVERIFIED | Who knows |\n| `UI-004` | N/A | Not ours |\n',
  '.conduct/issues/2026-03-04-bug-issue.md': '# The search finds nothing\n',
  '.conduct/issue-completions/done.md': '# Done\n\n- Status: PASS\n\n1. **PASS — Reproduce it.** Seen.\n',
  '.conduct/decisions/one.md': '# A decision\n',
  '.conduct/ledger.md': '# Ledger\n',
}

/** Writes a ledger of the earlier Conduct and returns what imports it. */
function importOf(t: TestContext, ledger: Ledger, written: Record<string, string>) {
  const folder = freshFolder(t)
  writeFiles(folder, written)
  const env = { ...homeOf(folder), CONDUCT_DATABASE_URL: ledger.url }
  return async (...more: string[]) => {
    const words = ['import', 'conduct-v0', '.', '--project', 'old', '--json', ...more]
    const { code, stdout, stderr } = await conductHere(words, env, folder)
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
}

testLedger('bundles, trackers and logs become specs, runs and checks once', async (ledger, t) => {
  const run = importOf(t, ledger, files)
  const first = await run('--dry-run')
  assert.deepEqual({ ...(await run()), dryRun: true }, first)
  assert.deepEqual(first.counts, { specs: 4, runs: 7, checks: 9, features: 0 })

  const client = ledger.as({ project: 'old' })
  const { spec } = await client.getSpec({ specId: `v0-${bundle}` })
  assert.deepEqual(
    [spec.title, spec.status, spec.createdAt],
    ['Build a shop, with search', 'in_progress', '2026-03-01T00:00:00.000Z'],
  )
  assert.match(spec.content, /# A shop[\s\S]*# Plan[\s\S]*# Phase 0/)
  assert.equal((await client.getSpec({ specId: 'v0-2026-03-04-bug-issue' })).spec.status, 'completed')
  assert.equal((await client.getSpec({ specId: 'v0-SHOP-1' })).spec.content, '# Move the tills\n')

  const { runs } = await client.listRuns({ order: 'asc' })
  assert.deepEqual(
    runs.map(({ runId, title, status, verdict, specId }) => [
      runId.replace(/^v0-202603/, ''),
      title,
      status,
      verdict,
      specId?.replace(bundle, 'B') ?? null,
    ]),
    [
      ['01T100000Z-spec', 'spec', 'completed', 'unchecked', 'v0-B'],
      ['02T100000Z-execute', 'execute · PHASE_00 · First report', 'completed', 'verified', 'v0-B'],
      ['02T110000Z-execute', 'execute · PHASE_01 · Second report', 'failed', 'failing', 'v0-B'],
      ['03T100000Z-audit', 'audit · Audit', 'completed', 'failing', null],
      ['04T100000Z-execute-issue', 'execute-issue · Done', 'completed', 'verified', 'v0-2026-03-04-bug-issue'],
      ['05T100000Z-execute', 'execute · PHASE_02', 'completed', 'unchecked', 'v0-B'],
      ['06T100000Z-execute', 'execute · PHASE_03 · First report', 'completed', 'verified', 'v0-B'],
    ],
  )
  const blocked = runs[2]
  assert.deepEqual(blocked?.failure, { code: 'NOT_PASSED', message: 'BLOCKED — keys are missing' })
  assert.deepEqual(
    [blocked?.agent, blocked?.usage?.model, blocked?.startedAt, blocked?.createdAt],
    ['An agent', 'a-model', '2026-03-02T11:00:00.000Z', '2026-03-02T11:00:00.000Z'],
  )
  assert.deepEqual(
    runs.map(({ evidence }) => evidence).filter((one) => one !== null && one !== 'self'),
    [],
  )

  const { checks } = await client.listChecks({ runId: ['v0-20260303T100000Z-audit'], order: 'asc' })
  assert.deepEqual(
    checks.map(({ name, result }) => [name, result]),
    [
      ['audit', 'warn'],
      ['UI-001', 'pass'],
      ['UI-002', 'fail'],
      ['UI-003', 'warn'],
    ],
  )
  assert.deepEqual(first.unplaced, [
    { file: '.conduct/audits/one.md', line: 10, reason: 'not evaluated: UI-004' },
    { file: '.conduct/logs.csv', line: 7, reason: `${reports}/gone.md is gone` },
    { file: '.conduct/logs.csv', line: 8, reason: "timestamp 'yesterday' is not a time in the past" },
    { file: '.conduct/decisions/one.md', reason: 'neither the tracker nor the log names it' },
    { file: '.conduct/ledger.md', reason: 'neither the tracker nor the log names it' },
  ])
  assert.deepEqual(first.contradictions, [
    { file: untracked, reason: 'tracker.csv does not name it: its status is draft' },
  ])
  const again = await run()
  assert.deepEqual([again.counts.specs, again.counts.runs, again.counts.checks], [0, 0, 0])
})

const log = (...lines: string[]) => ({ '.conduct/logs.csv': header + lines.join('') })
const checksOf = async (ledger: Ledger) => {
  const { checks } = await ledger.as({ project: 'old' }).listChecks({ order: 'asc' })
  const whole = checks.map(({ checkId }) => ledger.as({ project: 'old' }).getCheck({ checkId }))
  return (await Promise.all(whole)).map(({ check: { name, result, content } }) => [name, result, content])
}

testLedger('a requirement has its result in a heading, a list, an item or a table', async (ledger, t) => {
  const report = [
    '# Search\n\n## Metadata\n\n| Field | Value |\n|---|---|\n| Model | a-model |\n\n## Status\n\nPARTIAL — the index is missing\n',
    '### FIND-001 — PASS for one word\n\n- Seen.\n\n### Slow words — FAIL / BLOCKED\n\n### MISSING — a plan\n',
    '### Keep the order\n\n- Status: PASS\n- Evidence: seen.\n\n### Limits\n\nStatus: `PARTIAL`\n\nStatus failed requests have.\n',
    '1. PASS - Finds `a.b` in\n   two files. It took\n   a second.\n2. **FAIL — Finds nothing.** Where\n   nothing is.\n3. Passes it on.\n',
    '```text\n## Done — PASS\n- Status: FAIL\n```\n',
    '| Command | Result |\n|---|---|\n| `find x` | PASS |\n',
    '| ID | Level | State | Why |\n|---|---|---:|---|\n| `F-01` | High | PASS — twice | Found |\n| F-02 | Low | DONE; LIVE BLOCKED | Who knows |\n| F-03 | Low | **Fail** | Lost |\n',
  ].join('\n')
  const written = { ...log(lineOf('1T10:00:00Z', 'execute', 'PHASE_00', '.conduct/r.md')), '.conduct/r.md': report }
  const { unplaced, counts } = await importOf(t, ledger, written)()
  assert.deepEqual(await checksOf(ledger), [
    ['PHASE_00', 'warn', 'PARTIAL — the index is missing'],
    ['FIND-001', 'pass', 'PASS for one word'],
    ['Slow words', 'fail', 'FAIL / BLOCKED'],
    ['Keep the order', 'pass', 'PASS'],
    ['Limits', 'warn', 'PARTIAL'],
    ['Finds a.b in two files', 'pass', 'It took a second.'],
    ['Finds nothing', 'fail', 'Where nothing is.'],
    ['F-01', 'pass', 'PASS — twice Found'],
    ['F-03', 'fail', 'Lost'],
  ])
  assert.deepEqual([counts.runs, counts.checks], [1, 9])
  const reason = "the result of F-02 is 'DONE; LIVE BLOCKED', which begins with none of "
  assert.deepEqual(
    unplaced.map(({ file, line, reason: said }: Unplaced) => [file, line, said.slice(0, reason.length)]),
    [['.conduct/r.md', report.split('\n').findIndex((line) => line.startsWith('| F-02')) + 1, reason]],
  )
})

testLedger('the result of a requirement is not that of its report', async (ledger, t) => {
  const report = '# Till\n\n## Requirements\n\n### Count it\n\n- Status: FAIL\n'
  const written = { ...log(lineOf('1T10:00:00Z', 'execute', '', '.conduct/r.md')), '.conduct/r.md': report }
  await importOf(t, ledger, written)()
  assert.deepEqual(await checksOf(ledger), [['Count it', 'fail', 'FAIL']])
  const { runs } = await ledger.as({ project: 'old' }).listRuns({})
  assert.deepEqual(
    runs.map(({ status }) => status),
    ['completed'],
  )
})

testLedger('one entry names all requirements that an audit did not evaluate', async (ledger, t) => {
  const names = Array.from({ length: 30 }, (_, n) => `UI-${n + 1}`)
  const rows = names.map((name) => `| ${name} | N/A | Not ours |\n`).join('')
  const audit = `# Audit\n\n| Requirement | Result | Why |\n|---|---|---|\n${rows}`
  const written = { ...log(lineOf('1T10:00:00Z', 'audit', '', '.conduct/a.md')), '.conduct/a.md': audit }
  const { unplaced, more } = await importOf(t, ledger, written)('--dry-run')
  assert.deepEqual(unplaced, [{ file: '.conduct/a.md', line: 5, reason: `not evaluated: ${names.join(', ')}` }])
  assert.equal(more, 0)
})

testLedger('each row of a tracker becomes a spec, also without a document', async (ledger, t) => {
  const run = importOf(t, ledger, {
    ...log(
      lineOf('8T10:00:00Z', 'spec', '', '.conduct/specs/2026-03-08-new-3c4d5e6f-spec'),
      lineOf('9T10:00:00Z', 'execute-issue', '', '.conduct/issue-completions/cap-completion.md'),
    ),
    '.conduct/issue-completions/cap-completion.md': '# A cap\n\n- Issue: `.conduct/issues/2026-03-09-cap-issue.md`\n',
    '.conduct/issue-completions/hat-completion.md': '# The hat is back\n',
    '.conduct/tracker.csv':
      'id, desc, status, completedAt, completionDoc\n2026-03-08-new-3c4d5e6f-spec,Sell hats,0,,\n' +
      '2026-03-09-hat-issue,A hat is gone,1,2026-03-09T10:00:00Z,hat-completion\n2026-03-09-cap-issue,A cap,0,,\n',
    '.conduct/issues/2026-03-09-hat-issue.md': '# A hat is gone\n\n- Status: Open\n',
    '.conduct/issues/2026-03-09-cap-issue.md': '# A cap\n\n- Status: Open\n',
  })
  const { counts, unplaced, contradictions } = await run()
  assert.equal(counts.specs, 3)
  assert.deepEqual(unplaced, [
    {
      file: '.conduct/tracker.csv',
      line: 2,
      reason: '.conduct/specs/2026-03-08-new-3c4d5e6f-spec is gone: its spec has only a title',
    },
    {
      file: '.conduct/issue-completions/hat-completion.md',
      reason: 'the tracker names it, but no line of the log does',
    },
  ])
  assert.deepEqual(contradictions, [
    { file: '.conduct/issues/2026-03-09-hat-issue.md', reason: 'says Open, and the tracker 1: the tracker holds' },
  ])
  const client = ledger.as({ project: 'old' })
  const { spec: hats } = await client.getSpec({ specId: 'v0-2026-03-08-new-3c4d5e6f-spec' })
  assert.deepEqual([hats.title, hats.status, hats.content], ['Sell hats', 'in_progress', '# Sell hats\n'])
  const { spec: hat } = await client.getSpec({ specId: 'v0-2026-03-09-hat-issue' })
  assert.deepEqual(
    [hat.status, hat.content.split('\n').slice(-5)],
    ['completed', ['## Tracker', '', '- **Completed:** 2026-03-09T10:00:00Z', '- **Completion:** hat-completion', '']],
  )
  const { runs } = await client.listRuns({ order: 'asc' })
  assert.deepEqual(
    runs.map(({ specId }) => specId),
    [hats.specId, 'v0-2026-03-09-cap-issue'],
  )
})

testLedger('what is longer than the ledger takes is cut to its bytes', async (ledger, t) => {
  const long = 'é'.repeat(400)
  const run = importOf(t, ledger, {
    '.conduct/logs.csv': `${header}2026-03-01T10:00:00Z,${long},${long},audit,${long},${long},.conduct/audits/one.md\n`,
    '.conduct/tracker.csv': `id, desc, status, completedAt, completionDoc\nSHOP-1,${'a'.repeat(400)},0,,\n`,
    '.conduct/audits/one.md': `# ${long} — PASS\n\n### ${long} — PASS\n`,
  })
  const { counts } = await run()
  assert.deepEqual([counts.specs, counts.runs], [1, 1])
  const client = ledger.as({ project: 'old' })
  const { specs = [] } = await client.listSpecs({})
  assert.deepEqual(
    specs.map(({ title }) => title),
    [`${'a'.repeat(297)}…`],
  )
  const [imported] = (await client.listRuns({})).runs ?? []
  assert.match(imported?.title ?? '', /^audit · é+…$/)
  assert.equal(imported?.agent, 'é'.repeat(100))
})
