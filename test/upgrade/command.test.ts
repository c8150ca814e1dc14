import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { programOf } from '../cli/program.ts'
import { localUser } from '../cli/user.ts'
import { loadSqlite } from './dump-sqlite.ts'

for (const words of ['run list --quiet', 'doctor', 'exec -- true']) {
  test(`conduct ${words} reports that it upgrades the local database`, async (t) => {
    const { env, cwd } = localUser(t)
    const file = join(env.HOME, 'conduct.db')
    rmSync(file, { force: true })
    loadSqlite(file, readFileSync(new URL('ledger/v4.sqlite.sql', import.meta.url), 'utf8'))
    const { all } = programOf(env, cwd)
    const upgrading = /^Upgrading the database: version 14 of \d+\.$/m
    assert.match((await all(words)).stderr, upgrading)
    assert.doesNotMatch((await all(words)).stderr, upgrading)
  })
}
