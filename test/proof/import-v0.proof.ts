import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { parse } from 'csv-parse/sync'
import { filesBelow } from '../../src/cli/import/documents.ts'
import type { Client, Output } from '../../src/client/client.ts'
import { freshFolder, homeOf } from '../cli/folder.ts'
import { conductHere } from '../cli/program.ts'
import { engines, openLedger } from '../support/engines.ts'

const folder = process.env.CONDUCT_PROOF_FOLDER

interface Entry {
  file: string
  line?: number
}

/** The lines of a text that say something, without their indentation. */
const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** What the import does not copy as lines, because it becomes fields: the tracker, statements, and tables of rows. */
const isFields = (path: string) => /\.(sql|csv)$/.test(path) || path === 'conduct.track.json'

const textIn = (path: string) => readFileSync(join(folder ?? '', path), 'utf8')

const rowsIn = (path: string): Record<string, string>[] =>
  parse(textIn(path), { columns: true, trim: true, skip_empty_lines: true })

const result = '(PASS|COMPLETED|PARTIAL|UNVERIFIED|BLOCKED|FAIL|FAILED)\\b'
const stated = new RegExp(`^(#{2,6} .+ [—–-] |\\d+\\. \\**|- Status: )${result}`)

/** The number of lines that state a result in a report, without those in its tables and code. */
const statedIn = (text: string) =>
  text
    .replaceAll(/^```[\s\S]*?^```/gm, '')
    .split('\n')
    .filter((line) => stated.test(line)).length

/** Everything in a project. */
async function contentsOf(client: Client) {
  const specs: Output<'getSpec'>['spec'][] = []
  const runs: Output<'getRun'>['run'][] = []
  const checks: Output<'getCheck'>['check'][] = []
  for await (const { specId } of client.all('listSpecs', {})) specs.push((await client.getSpec({ specId })).spec)
  for await (const { runId } of client.all('listRuns', {})) runs.push((await client.getRun({ runId })).run)
  for await (const { checkId } of client.all('listChecks', {})) checks.push((await client.getCheck({ checkId })).check)
  return { specs, runs, checks }
}
type Contents = Awaited<ReturnType<typeof contentsOf>>

/** Checks that each row of a log is a run, and that each result in its report is a check of the run. */
function assertLog(path: string, unplaced: Entry[], { runs, checks }: Contents) {
  for (const [at, row] of rowsIn(path).entries()) {
    if (unplaced.some(({ file, line }) => file === path && line === at + 2)) continue
    const started = new Date(row.timestamp ?? '').toISOString()
    const run = runs.find(
      ({ startedAt, labels }) =>
        startedAt === started && labels.command === row.command && (labels.phase ?? '') === row['phase(s)'],
    )
    assert.deepEqual([run?.agent, run?.usage?.model], [row.launcher, row.model], `${path}:${at + 2}`)
    const found = checks.filter(({ runId }) => runId === run?.runId).length
    const least = row.path?.endsWith('.md') ? statedIn(textIn(row.path)) : 0
    assert.ok(found >= least, `${row.path} states ${least} results, and ${found} arrived`)
  }
}

/** Checks that each row of the tracker is a spec with its status. */
function assertTracker(path: string, { specs }: Contents) {
  for (const { id, status } of rowsIn(path)) {
    const spec = specs.find(({ specId }) => specId === `v0-${id}`)
    assert.equal(spec?.status, status === '1' ? 'completed' : 'in_progress', `${id} in ${path}`)
  }
}

for (const engine of engines) {
  test(`every line of an earlier ledger arrives or is listed (${engine.name})`, async (t) => {
    assert.ok(folder, 'Name the folder of the ledger: npm run proof import-v0 FOLDER')
    const ledger = await openLedger(t, engine)
    const env = { ...homeOf(freshFolder(t)), CONDUCT_DATABASE_URL: ledger.url }
    const words = ['import', 'conduct-v0', resolve(folder), '--project', 'old', '--json']
    const { code, stdout, stderr } = await conductHere(words, env, folder)
    assert.equal(code, 0, stderr)
    const { unplaced, more, counts, contradictions, moreContradictions } = JSON.parse(stdout)
    assert.deepEqual([more, moreContradictions], [0, 0], 'the list is not whole')

    const contents = await contentsOf(ledger.as({ project: 'old' }))
    const arrived = new Set(Object.values(contents).flatMap((all) => all.flatMap(({ content }) => linesOf(content))))
    const listed = new Set<string>(
      unplaced.filter(({ line }: Entry) => line === undefined).map(({ file }: Entry) => file),
    )
    const files = ['_conduct', '.conduct'].flatMap((name) => filesBelow(folder, name))
    const lost = files
      .filter((path) => !listed.has(path) && !isFields(path))
      .flatMap((path) => linesOf(textIn(path)).flatMap((line) => (arrived.has(line) ? [] : [`${path}: ${line}`])))
    // Masking replaces what looks like a secret.
    assert.deepEqual(lost, [], `${lost.length} lines are lost`)

    for (const path of files) {
      if (/^\.conduct\/(specs\/[^/]+\/)?logs\.csv$/.test(path)) assertLog(path, unplaced, contents)
      if (path === '.conduct/tracker.csv') assertTracker(path, contents)
    }
    t.diagnostic(
      `${files.length} files: ${JSON.stringify(counts)}, ${listed.size} left out, ${contradictions.length} contradictions`,
    )
  })
}
