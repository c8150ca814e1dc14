import assert from 'node:assert/strict'
import { testLedger } from '../support/engines.ts'
import { freshFolder, homeOf } from './folder.ts'
import { conductHere } from './program.ts'
import { writeFiles } from './user.ts'

const bundle = '2026-03-01-new-1a2b3c4d-spec'
const untracked = '.conduct/specs/2026-03-07-new-2b3c4d5e-spec'
const reports = `.conduct/specs/${bundle}/phase-reports`
const header = 'timestamp,model,launcher,command,agent_name,phase(s),path\n'
const lineOf = (time: string, command: string, phase: string, path: string) =>
  `2026-03-0${time},a-model,An agent,${command},unknown-agent,${phase},${path}\n`

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

testLedger('bundles, trackers and logs become specs, runs and checks once', async (ledger, t) => {
  const folder = freshFolder(t)
  writeFiles(folder, files)
  const env = { ...homeOf(folder), CONDUCT_DATABASE_URL: ledger.url }
  const run = async (...more: string[]) => {
    const words = ['import', 'conduct-v0', '.', '--project', 'old', '--json', ...more]
    const { code, stdout, stderr } = await conductHere(words, env, folder)
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
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
    { file: '.conduct/audits/one.md', line: 10, reason: 'UI-004 was not evaluated' },
    { file: '.conduct/logs.csv', line: 7, reason: `${reports}/gone.md is gone` },
    { file: '.conduct/logs.csv', line: 8, reason: "timestamp 'yesterday' is no time in the past" },
    { file: '.conduct/decisions/one.md', reason: 'neither the tracker nor the log names it' },
    { file: '.conduct/ledger.md', reason: 'neither the tracker nor the log names it' },
  ])
  assert.deepEqual(first.contradictions, [
    { file: untracked, reason: 'tracker.csv does not name it: its status is draft' },
  ])
  const again = await run()
  assert.deepEqual([again.counts.specs, again.counts.runs, again.counts.checks], [0, 0, 0])
})
