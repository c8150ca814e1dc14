import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { raw } from 'sql-template-tag'
import { type Client, type ConductError, createClient } from '../../src/client/client.ts'
import type { Db } from '../../src/engine/db.ts'
import { openStore } from '../../src/operations/open.ts'
import { createApp } from '../../src/server/app.ts'
import { base, type Engine, engines } from '../support/engines.ts'
import { adminKey, startServer } from '../support/server.ts'
import { requireWhole } from './log.ts'
import { size } from './size.ts'
import { clientOf, readBack, startWriters } from './writers.ts'

const sqlite = engines.find(({ name }) => name === 'sqlite') as Engine

/** A ledger on a disk that the test can fill and free. */
interface Disk {
  url: string
  client: Client
  fill(): Promise<void> | void
  free(): Promise<void> | void
}

test('on a full disk writes return 507 and reads continue, and the server recovers (pages limited)', async (t) => {
  await fillAndFree(t, await limitPages(t))
})

test('on a full disk writes return 507 and reads continue, and the server recovers (file system)', async (t) => {
  const mounted = await mountDisk(t)
  if (!mounted) t.diagnostic('This user may not mount a file system: its place is taken by a limit of pages again.')
  await fillAndFree(t, mounted ?? (await limitPages(t)))
})

async function fillAndFree(t: TestContext, { url, client, fill, free }: Disk) {
  let refused = 0
  const isFull = ({ status }: ConductError) => {
    if (status === 507) refused++
    return status === 507
  }
  for (let cycle = 1; cycle <= size(1, 20); cycle++) {
    const writers = startWriters(t, client, `full-${cycle}`, isFull)
    await writers.until(() => writers.acknowledged() >= 50)
    await fill()
    const before = refused
    await writers.until(() => refused >= before + 50)
    const { runs } = await client.listRuns({ limit: 10 })
    for (const { runId } of runs) await client.getRun({ runId })
    await client.listEvents({ limit: 10 })
    await free()
    const wanted = writers.acknowledged() + 50
    await writers.until(() => writers.acknowledged() >= wanted)
    await writers.stop()
    await readBack(client, writers.touched)
  }
  await requireWhole(client, url)
}

/** Stands in for a full disk: a limit on SQLite's pages, which makes a work fail in the middle. */
async function limitPages(t: TestContext): Promise<Disk> {
  const url = await sqlite.freshUrl(t)
  const store = await openStore(url, { adminKey })
  t.after(() => store.close())
  const app = createApp({ store, rateLimit: 0 })
  const client = createClient({ url: base, key: adminKey, attempts: 1, fetch: (request) => app.fetch(request) })
  return { url, client, fill: () => setPages(store.db, 1), free: () => setPages(store.db, 1_000_000) }
}

/** A limit below the current number of pages means that number. */
async function setPages(db: Db, pages: number) {
  await db
    .tx((tx) => tx.query(raw(`pragma max_page_count = ${pages}`)))
    .catch((error) => {
      // Another work in the same batch has reached the new limit at once, and failed both. The limit stays, because it
      // is not part of a transaction.
      if (error.code !== 'INSUFFICIENT_STORAGE') throw error
    })
}

/**
 * A server on a small file system of its own, which fills up during a commit. It has space for all that the cycles write.
 * Undefined if this user cannot mount one.
 */
async function mountDisk(t: TestContext): Promise<Disk | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'conduct-disk-'))
  t.after(() => {
    if (status === 0) spawnSync('umount', ['--lazy', folder])
    rmSync(folder, { recursive: true })
  })
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size(48, 128)}m`, 'conduct-test', folder])
  if (status !== 0) return undefined
  const url = `sqlite:${join(folder, 'conduct.db')}`
  const ballast = join(folder, 'ballast')
  const server = await startServer(t, url)
  return {
    url,
    client: clientOf(server),
    fill: () => writeUntilFull(ballast),
    free: () => rmSync(ballast),
  }
}

function writeUntilFull(path: string) {
  const file = openSync(path, 'w')
  try {
    for (;;) writeSync(file, Buffer.alloc(4096))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(file)
  }
}
