import assert from 'node:assert/strict'
import { testLedger } from '../support/engines.ts'
import { freshFolder, homeOf } from './folder.ts'
import { conductHere } from './program.ts'
import { writeFiles } from './user.ts'

const files = {
  'conduct.track.json': JSON.stringify({
    specs: [{ id: '1', location: '_conduct/specs/1.md', status: 'completed', createdAt: '2025-11-04T09:00:00Z' }],
    runs: [
      {
        id: '1',
        specId: '1',
        location: '_conduct/runs/1.md',
        status: 'completed',
        startedAt: '2025-11-04T10:00:00Z',
        completedAt: '2025-11-04T11:00:00Z',
      },
    ],
    checks: [
      { id: '1', runId: '1', location: '_conduct/checks/1.md', result: 'pass', completedAt: '2025-11-04T11:30:00Z' },
    ],
  }),
  '_conduct/specs/1.md': '# Search\n',
  '_conduct/runs/1.md': '# Search, built\n',
  '_conduct/checks/1.md': '# All is well\n',
  // Files are read in the order of their names, which is not that of time.
  '_conduct/operations/a-later.sql': "update check_result set notes = 'Tried by hand, too' where id = '1';",
  '_conduct/operations/check.sql': "insert into check_result (id, run_id, result) values ('1', '1', 'partial');",
  '_conduct/operations/features.sql': `insert into package (slug, name) values ('shop', 'The shop');
    insert into feature (slug, name, package_id, parent_id, paths, status) values
      ('search', 'Search for goods', 1, null, '["src/search.ts", "src/words.ts"]', 'active'),
      ('rank', 'Best first', 1, 1, '["src/rank.ts"]', 'active'),
      ('lost', 'Its own parent', 1, 3, 'nonsense', 'active');`,
  '_conduct/operations/run.sql': `insert into run_feature (run_id, feature_id, type, description) values
      ('1', 'search', 'change', 'Found more'),
      ('1', (select id from feature where name = 'rank' limit 1), 'meta', null);
    insert into spec_dependency (spec_id, on_id) values ('2', '1');`,
  '_conduct/operations/spec.sql': `insert into spec (id, loe, source_type, source_ref, created_at) values
      ('1', 'complex', 'file', 'docs/plan.md', '2025-11-04T09:00:00Z'), ('9', 'small', 'file', 'x', null);`,
  '_conduct/operations/wild.sql': "delete from spec where id = '1';",
  '_conduct/operations/wrong.sql': 'insert everything',
}

testLedger('the statements of a tracker add features, links, efforts and sources', async (ledger, t) => {
  const folder = freshFolder(t)
  writeFiles(folder, files)
  const env = { ...homeOf(folder), CONDUCT_DATABASE_URL: ledger.url }
  const words = ['import', 'conduct-v0', '.', '--project', 'old', '--json']
  const run = async () => {
    const { code, stdout, stderr } = await conductHere(words, env, folder)
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  const report = await run()
  assert.deepEqual(report.counts, { specs: 1, runs: 1, checks: 1, features: 3 })

  const client = ledger.as({ project: 'old' })
  const { run: imported } = await client.getRun({ runId: 'v0-1' })
  assert.deepEqual(imported.labels, { imported: 'conduct-v0', loe: 'complex', source: 'file' })
  assert.deepEqual(imported.features.map(({ name }) => name).sort(), ['rank', 'search'])
  assert.match(imported.content, /- search, change: Found more\n- rank, meta\n/)
  assert.match((await client.getSpec({ specId: 'v0-1' })).spec.content, /LOE:\*\* complex[\s\S]*docs\/plan\.md/)
  const { check } = await client.getCheck({ checkId: 'v0-1' })
  assert.equal(check.result, 'pass')
  assert.match(check.content, /Notes:\*\* Tried by hand, too/)

  const { features } = await client.listFeatures({})
  const about = Object.fromEntries(features.map(({ name, file, description }) => [name, { file, description }]))
  assert.deepEqual(about, {
    search: {
      file: 'src/search.ts',
      description: 'Search for goods\nPackage shop\nAlso in src/words.ts\nStatus: active',
    },
    rank: { file: 'src/rank.ts', description: 'Best first\nPart of search\nPackage shop\nStatus: active' },
    lost: { file: null, description: 'Its own parent\nPackage shop\nStatus: active' },
  })

  const listed = (entries: { file: string; reason: string }[]) =>
    entries.map(({ file, reason }) => `${file.split('/').at(-1)}: ${reason}`)
  assert.deepEqual(
    listed(report.contradictions),
    [
      'features.sql: the feature lost is its own parent: it has none',
      'check.sql: says result partial of check 1, and the tracker pass: the tracker holds',
    ].map((line) => line.replace('check.sql', 'a-later.sql')),
  )
  const left = listed(report.unplaced)
  for (const line of [
    'run.sql: the ledger has no place for a row of spec_dependency',
    'spec.sql: spec 9 is not in conduct.track.json',
    "wild.sql: this import does not read its statement 'delete'",
  ]) {
    assert.ok(left.includes(line), `${line} is not in\n${left.join('\n')}`)
  }
  assert.ok(left.some((line) => line.startsWith('wrong.sql: this import cannot read its SQL')))

  const { counts } = await run()
  assert.deepEqual([counts.specs, counts.runs, counts.checks, counts.features], [0, 0, 0, 0])
})
