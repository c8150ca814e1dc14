import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freshFolder, homeOf } from '../cli/folder.ts'
import { programOf, start } from '../cli/program.ts'
import { startServer } from '../support/server.ts'
import { readRows } from './database.ts'
import { requireHeld } from './held.ts'
import { size } from './size.ts'
import { clientOf, startWriters, type Touched } from './writers.ts'

/** A server with a ledger in a folder of its own, and the commands on its machine. */
async function served(t: TestContext) {
  const folder = freshFolder(t)
  const url = `sqlite:${join(folder, 'ledger.db')}`
  const server = await startServer(t, url)
  const env = { ...homeOf(folder), CONDUCT_DATABASE_URL: url }
  return { folder, url, server, client: clientOf(server), env, run: programOf(env).run }
}

const never = () => false

test('a backup under 16 writers contains every write acknowledged before it began', async (t) => {
  const { folder, client, run } = await served(t)
  const held: Touched = new Map()
  let backups = 0
  for (let round = 1; round <= size(2, 50); round++) {
    const first = startWriters(t, client, `before-${round}`, never)
    await first.until(() => first.acknowledged() >= 60)
    await first.stop()
    for (const [runId, states] of first.touched) held.set(runId, states)
    const meanwhile = startWriters(t, client, `while-${round}`, never)
    await meanwhile.until(() => meanwhile.acknowledged() >= 20)
    const file = join(folder, `copy-${round}.db`)
    await run(`backup ${file}`)
    await meanwhile.stop()
    await requireHeld(`sqlite:${file}`, held)
    for (const [runId, states] of meanwhile.touched) held.set(runId, states)
    for (const name of [file, `${file}-wal`, `${file}-shm`]) rmSync(name, { force: true })
    backups++
  }
  t.diagnostic(`${backups} backups, the last with ${held.size} runs`)
})

test('kill -9 during a backup leaves no file that looks complete', async (t) => {
  const { folder, client, env } = await served(t)
  const writers = startWriters(t, client, 'killed', never)
  await writers.until(() => writers.acknowledged() >= 50)
  let whole = 0
  const kills = size(3, 50)
  for (let kill = 1; kill <= kills; kill++) {
    const file = join(folder, `copy-${kill}.db`)
    const { child, ran } = start(['backup', file], env)
    await sleep(Math.random() * 600)
    child.kill('SIGKILL')
    await ran
    const made = readdirSync(folder).filter(
      (name) => name.startsWith(`copy-${kill}.db`) && !/\.part(-journal|-wal|-shm)?$/.test(name),
    )
    assert.deepEqual(made, existsSync(file) ? [`copy-${kill}.db`] : [])
    if (!existsSync(file)) continue
    whole++
    assert.deepEqual(await readRows(`sqlite:${file}`, 'pragma integrity_check'), [{ integrity_check: 'ok' }])
  }
  await writers.stop()
  t.diagnostic(`${kills} kills, ${whole} of which came when the backup was there already`)
})

test('kill -9 during a restore leaves either the old ledger or the backup, complete', async (t) => {
  const { folder, url, server, client, env, run } = await served(t)
  const file = join(folder, 'copy.db')
  const earlier = startWriters(t, client, 'earlier', never)
  await earlier.until(() => earlier.acknowledged() >= 60)
  await earlier.stop()
  await run(`backup ${file}`)
  const later = startWriters(t, client, 'later', never)
  await later.until(() => later.acknowledged() >= 60)
  await later.stop()
  await server.end('SIGTERM')
  const newest = join(folder, 'newest.db')
  await run(`backup ${newest}`)
  const [of, was] = await Promise.all([file, newest].map((path) => eventsOf(`sqlite:${path}`)))
  let restored = 0
  const kills = size(3, 50)
  for (let kill = 1; kill <= kills; kill++) {
    await run(`restore --force ${newest}`)
    const { child, ran } = start(['restore', '--force', file], env)
    await sleep(Math.random() * 600)
    child.kill('SIGKILL')
    await ran
    const events = await eventsOf(url)
    assert.ok(events === of || events === was, `${events} events, neither ${of} nor ${was}`)
    assert.deepEqual(await readRows(url, 'pragma integrity_check'), [{ integrity_check: 'ok' }])
    if (events === of) restored++
  }
  await run(`restore --force ${file}`)
  await requireHeld(url, earlier.touched)
  t.diagnostic(`${kills} kills, ${restored} of which came when the backup was restored`)
})

const eventsOf = async (url: string) => (await readRows<{ n: number }>(url, 'select count(*) as n from events'))[0]?.n
