import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { createReporter } from '../../src/cli/import/report.ts'
import { testLedger } from '../support/engines.ts'
import { freshFolder, homeOf } from './folder.ts'
import { conductHere } from './program.ts'
import { writeFiles } from './user.ts'

const meta = (lines: Record<string, string>) =>
  `## Meta\n${Object.entries(lines)
    .map(([name, value]) => `- **${name}:** ${value}\n`)
    .join('')}`

const files = {
  'conduct.track.json': JSON.stringify({
    specs: [
      {
        id: '1',
        location: '_conduct/specs/1.v0.spec.md',
        type: 'file',
        status: 'completed',
        version: 0,
        agent: 'a-model',
        createdAt: '2025-11-04T09:00:00Z',
      },
    ],
    runs: [
      {
        id: '1',
        specId: '1',
        location: '_conduct/runs/1/',
        type: 'directory',
        status: 'completed',
        startedAt: '2025-11-04T10:00:00Z',
        completedAt: '2025-11-04T12:00:00Z',
      },
      {
        id: '2',
        specId: '1',
        location: '_conduct/runs/2.v0.run.md',
        status: 'completed',
        startedAt: '2025-11-04T13:00:00Z',
        // No ledger takes this year.
        completedAt: '-000001-01-01T00:00:00Z',
      },
    ],
    checks: [
      {
        id: '1',
        runId: '1',
        location: '_conduct/checks/1.check.md',
        result: 'partial',
        completedAt: '2025-11-04T00:15:00Z',
      },
      { id: '2', runId: '7', location: '_conduct/checks/1.check.md', result: 'pass' },
    ],
    widgets: [],
  }),
  '_conduct/specs/1.v0.spec.md': '# Spec 1: Search\n\n- [x] Find things\n',
  '_conduct/runs/1/index.md': `# Run 1: Search\n\n${meta({ Status: 'in-progress' })}`,
  '_conduct/runs/1/10-last.md': 'Part ten.\n',
  '_conduct/runs/1/2-first.md': 'Part two.\n',
  '_conduct/checks/1.check.md': '# Check 1\n\nMostly.\n',
}

testLedger(
  'the documents of a tracker become specs, runs and checks once, and contradictions are listed',
  async (ledger, t) => {
    const folder = freshFolder(t)
    writeFiles(folder, files)
    const env = { ...homeOf(folder), CONDUCT_DATABASE_URL: ledger.url }
    const run = async (...words: string[]) => {
      const { code, stdout, stderr } = await conductHere(
        ['import', 'conduct-v0', '.', '--project', 'old', '--json', ...words],
        env,
        folder,
      )
      assert.equal(code, 0, stderr)
      return JSON.parse(stdout)
    }
    const first = await run('--dry-run')
    assert.deepEqual((await ledger.client.listSpecs({})).specs, [])
    assert.deepEqual({ ...(await run()), dryRun: true }, first)
    assert.deepEqual(first.counts, { specs: 1, runs: 1, checks: 1, features: 0 })
    assert.deepEqual(
      first.unplaced.map(({ file }: { file: string }) => file),
      ['_conduct/runs/2.v0.run.md', '_conduct/checks/1.check.md', 'conduct.track.json'],
    )
    assert.deepEqual(
      first.contradictions.map(({ file }: { file: string }) => file),
      ['_conduct/runs/1/', '_conduct/checks/1.check.md'],
    )
    const client = ledger.as({ project: 'old' })
    const { run: imported } = await client.getRun({ runId: 'v0-1' })
    assert.deepEqual(
      [imported.status, imported.createdAt, imported.endedAt, imported.specId, imported.verdict],
      ['completed', '2025-11-04T10:00:00.000Z', '2025-11-04T12:00:00.000Z', 'v0-1', 'warned'],
    )
    assert.match(imported.content, /# Run 1[\s\S]*Part two\.[\s\S]*Part ten\./)
    assert.equal((await client.getCheck({ checkId: 'v0-1' })).check.createdAt, '2025-11-04T12:00:00.000Z')
    const again = await run()
    assert.deepEqual(again.counts, {
      specs: 0,
      runs: 0,
      checks: 0,
      features: 0,
      'specs imported before': 1,
      'runs imported before': 1,
      'checks imported before': 1,
    })
  },
)

test('a report lists 20 entries of a file and 1,000 in all, of each kind, and counts the rest', () => {
  const { report, pass, contradict } = createReporter(true, {})
  for (let file = 0; file < 60; file++) {
    for (let line = 1; line <= 21; line++) {
      pass(`${file}`, line, 'left out')
      contradict(`${file}`, line, 'contradicts itself')
    }
  }
  assert.deepEqual([report.unplaced.length, report.more], [1_000, 260])
  assert.deepEqual([report.contradictions.length, report.moreContradictions], [1_000, 260])
  assert.equal(report.contradictions[20]?.file, '1')
})

testLedger('documents are read in every folder of the project, and in none outside', async (ledger, t) => {
  const parent = freshFolder(t)
  const folder = join(parent, 'project')
  const specs = ['..old/1.md', '../1.md'].map((location, at) => ({ id: String(at), location, status: 'draft' }))
  writeFiles(folder, { '..old/1.md': '# Inside\n', '../1.md': '# Outside\n' })
  writeFiles(folder, { 'conduct.track.json': JSON.stringify({ specs }) })
  const env = { ...homeOf(parent), CONDUCT_DATABASE_URL: ledger.url }
  const words = ['import', 'conduct-v0', '.', '--project', 'old', '--json']
  const { unplaced } = JSON.parse((await conductHere(words, env, folder)).stdout)
  assert.deepEqual(unplaced, [{ file: '../1.md', reason: '../1.md leads out of .' }])
  const { specs: made } = await ledger.as({ project: 'old' }).listSpecs({})
  assert.deepEqual(
    made.map(({ title }) => title),
    ['Inside'],
  )
})
