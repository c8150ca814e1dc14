import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrations } from '../../src/spool/migrations.ts'
import { openState } from '../../src/spool/state.ts'
import { dumpSqlite } from './dump-sqlite.ts'
import { populateState } from './populate-state.ts'

// Makes test/upgrade/state/v<N>.sql with the code of this checkout:
//   node test/upgrade/make-state.ts

const folder = mkdtempSync(join(tmpdir(), 'conduct-dump-'))
try {
  const file = join(folder, 'state.db')
  let now = Date.parse('2026-11-25T02:00:00Z')
  Date.now = () => now++
  const state = openState(file)
  populateState(state)
  state.close()
  const name = `v${migrations.length}.sql`
  writeFileSync(
    new URL(`state/${name}`, import.meta.url),
    `${dumpSqlite(file)}pragma user_version = ${migrations.length};\n`,
  )
  process.stdout.write(`test/upgrade/state/${name}\n`)
} finally {
  rmSync(folder, { recursive: true })
}
