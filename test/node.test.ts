import assert from 'node:assert/strict'
import { readFileSync, realpathSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isSafeVersion } from '../src/engine/sqlite/connect.ts'

const root = new URL('../', import.meta.url)
const { engines, devDependencies } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))

const numbers = (version: string) =>
  version
    .replace(/^[^\d]*/, '')
    .split('.')
    .map(Number)

test('the tests run on the Node.js that package.json pins', () => {
  const installed = fileURLToPath(new URL('node_modules/', root))
  assert.ok(
    realpathSync(process.execPath).startsWith(realpathSync(installed)),
    `${process.execPath} is not of this project: run the tests by npm test`,
  )
  const [major = 0, minor = 0] = numbers(process.versions.node)
  for (const wanted of [engines.node, devDependencies.node]) {
    const [wantedMajor = 0, wantedMinor = 0] = numbers(wanted)
    assert.ok(major === wantedMajor && minor >= wantedMinor, `${process.version} is not ${wanted}`)
  }
})

test('this SQLite does not have the bug in resetting the write-ahead log', () => {
  const db = new DatabaseSync(':memory:')
  const { version } = db.prepare('select sqlite_version() as version').get() as { version: string }
  db.close()
  assert.ok(isSafeVersion(version), version)
})

test('the code knows the versions of SQLite with the bug', () => {
  for (const version of ['3.51.3', '3.51.10', '3.52.0', '3.53.4', '3.50.7', '3.44.6', '4.0.0']) {
    assert.ok(isSafeVersion(version), version)
  }
  for (const version of ['3.51.2', '3.51.0', '3.50.6', '3.49.9', '3.44.5', '3.7.0', '2.8.17']) {
    assert.ok(!isSafeVersion(version), version)
  }
})
