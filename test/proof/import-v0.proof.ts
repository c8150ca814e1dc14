import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { filesBelow } from '../../src/cli/import/documents.ts'
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

for (const engine of engines) {
  test(`every line of an earlier ledger arrives or is listed (${engine.name})`, async (t) => {
    assert.ok(folder, 'Name the folder of the ledger: npm run proof import-v0 FOLDER')
    const ledger = await openLedger(t, engine)
    const env = { ...homeOf(freshFolder(t)), CONDUCT_DATABASE_URL: ledger.url }
    const words = ['import', 'conduct-v0', resolve(folder), '--project', 'old', '--json']
    const { code, stdout, stderr } = await conductHere(words, env, folder)
    assert.equal(code, 0, stderr)
    const report = JSON.parse(stdout)
    assert.deepEqual([report.more, report.moreContradictions], [0, 0], 'the list is not whole')

    const client = ledger.as({ project: 'old' })
    const texts: string[] = []
    for await (const { specId } of client.all('listSpecs', {})) {
      texts.push((await client.getSpec({ specId })).spec.content)
    }
    const runs = []
    for await (const { runId } of client.all('listRuns', {})) {
      const { run } = await client.getRun({ runId })
      runs.push(run)
      texts.push(run.content)
    }
    for await (const { checkId } of client.all('listChecks', {})) {
      texts.push((await client.getCheck({ checkId })).check.content)
    }
    const arrived = new Set(texts.flatMap(linesOf))
    const listed = new Set<string>(
      report.unplaced.filter(({ line }: Entry) => line === undefined).map(({ file }: Entry) => file),
    )
    const files = ['_conduct', '.conduct'].flatMap((name) => filesBelow(folder, name))
    const lost = files
      .filter((path) => !listed.has(path) && !isFields(path))
      .flatMap((path) => linesOf(readFileSync(join(folder, path), 'utf8')).map((line) => `${path}: ${line}`))
      .filter((line) => !arrived.has(line.slice(line.indexOf(': ') + 2)))
    // Masking replaces what looks like a secret.
    assert.deepEqual(lost, [], `${lost.length} lines are lost`)

    const log = join(folder, '.conduct/logs.csv')
    const rows = existsSync(log) ? linesOf(readFileSync(log, 'utf8')).slice(1) : []
    const starts = new Set(runs.map(({ startedAt }) => startedAt))
    const missing = rows.filter((row, at) => {
      const isListed = report.unplaced.some(({ file, line }: Entry) => file === '.conduct/logs.csv' && line === at + 2)
      return !isListed && !starts.has(new Date(row.split(',')[0] as string).toISOString())
    })
    assert.deepEqual(missing, [])
    const { counts, contradictions } = report
    t.diagnostic(
      `${files.length} files: ${JSON.stringify(counts)}, ${listed.size} left out, ${contradictions.length} contradictions`,
    )
  })
}
