import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { restoreBackup, writeBackup } from '../src/engine/sqlite/backup.ts'
import { freshFolder } from './cli/folder.ts'
import { openLedger, sqlite } from './support/engines.ts'

test('a restore replaces a ledger that appears meanwhile only with --force', async (t) => {
  const { url } = await openLedger(t, sqlite, { isStill: true })
  const folder = freshFolder(t)
  const backup = join(folder, 'copy.db')
  await writeBackup(url.slice('sqlite:'.length), backup)
  const path = join(folder, 'new.db')
  const has = (table: string) => {
    const db = new DatabaseSync(path)
    const found = db.prepare('select 1 from sqlite_master where name = ?').get(table)
    db.close()
    return found !== undefined
  }
  const onStep = () => {
    const db = new DatabaseSync(path)
    db.exec('create table if not exists other (n)')
    db.close()
  }
  await assert.rejects(restoreBackup(backup, path, { onStep }), {
    code: 'CONFLICT',
    message: `There already is a ledger at ${path}: replace it with --force.`,
  })
  assert.ok(has('other'))
  await restoreBackup(backup, path, { onStep, force: true })
  assert.deepEqual([has('other'), has('runs')], [false, true])
})
