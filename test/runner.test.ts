import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('a failing test fails the run of npm test', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'conduct-runner-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'failing.test.mjs')
  writeFileSync(file, `import { test } from 'node:test'\ntest('fails', () => { throw new Error('as it should') })\n`)
  const run = fileURLToPath(new URL('support/run.ts', import.meta.url))
  // A test that runs inside another is told to report to it.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { status, stdout } = spawnSync(process.execPath, [run, '--tests', file], { env })
  assert.match(stdout.toString(), /fail 1/)
  assert.equal(status, 1)
})
