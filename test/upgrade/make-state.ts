import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { latestVersion } from '../../src/capture/spool/database.ts'
import { openState } from '../../src/capture/spool/state.ts'
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
  const name = `v${latestVersion}.sql`
  writeFileSync(
    new URL(`state/${name}`, import.meta.url),
    `${dumpSqlite(file)}pragma user_version = ${latestVersion};\n`,
  )
  process.stdout.write(`test/upgrade/state/${name}\n`)
} finally {
  rmSync(folder, { recursive: true })
}
