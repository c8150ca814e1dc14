import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { homeOf } from '../cli/folder.ts'
import { type Engine, engines } from '../support/engines.ts'
import { main } from '../support/program.ts'
import { adminKey, startServer } from '../support/server.ts'
import { readRows } from './database.ts'
import { fillLedger } from './export-ledger.ts'
import { asShipped } from './memory.ts'
import { peakOf } from './peak.ts'
import { size } from './size.ts'

const events = size(4_000, 1_000_000)
/** The memory limit of each process, in MB. */
const mostMb = 250
const peakModule = fileURLToPath(new URL('peak.ts', import.meta.url))

let folder: string
/** A ledger with that many events in an SQLite file, and its export. */
let ledger: string
let whole: string

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'conduct-export-'))
  ledger = `sqlite:${join(folder, 'ledger.db')}`
  whole = join(folder, 'whole.ndjson')
  await fillLedger(ledger, events)
  await conduct(['export', whole], ledger)
})

after(() => rmSync(folder, { recursive: true, force: true }))

function begin(words: string[], url: string, peakFile?: string): ChildProcess {
  const options = `${asShipped.NODE_OPTIONS} --import=${peakModule}`
  const env = { ...homeOf(folder), CONDUCT_DATABASE_URL: url, NODE_OPTIONS: options, PEAK_FILE: peakFile }
  return spawn(process.execPath, [main, ...words], { env, cwd: folder, stdio: ['pipe', 'ignore', 'pipe'] })
}

/**
 * Runs a command on the database at `url`. Returns its duration in seconds and its peak memory in MB. Throws its error
 * output if it fails.
 */
async function conduct(words: string[], url: string) {
  const peakFile = join(folder, 'peak')
  const begun = performance.now()
  const child = begin(words, url, peakFile)
  child.stdin?.on('error', () => {}).end()
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (piece) => {
    said += piece
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`conduct ${words.join(' ')} ended with ${code}: ${said}`)
  return { seconds: (performance.now() - begun) / 1000, peak: Number(readFileSync(peakFile, 'utf8')) }
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

test('from SQLite to PostgreSQL and back, exports have the same bytes, and each process takes little memory', async (t) => {
  const [sqlite, postgres] = engines as [Engine, Engine]
  const [there, back] = [await postgres.freshUrl(t), await sqlite.freshUrl(t)]
  const [second, third] = ['second.ndjson', 'third.ndjson'].map((name) => join(folder, name)) as [string, string]
  const steps: [name: string, words: string[], url: string][] = [
    ['export from SQLite', ['export', '--force', whole], ledger],
    ['import into PostgreSQL', ['import', whole], there],
    ['export from PostgreSQL', ['export', second], there],
    ['import into SQLite', ['import', second], back],
    ['export from SQLite again', ['export', third], back],
  ]
  t.diagnostic(`${events} events, ${Math.round(statSync(whole).size / 1e6)} MB`)
  for (const [name, words, url] of steps) {
    const { seconds, peak } = await conduct(words, url)
    t.diagnostic(`${name}: ${seconds.toFixed(1)} s, ${Math.round(peak)} MB of memory`)
    assert.ok(peak > 20 && peak < mostMb, `${name} took ${peak} MB`)
  }
  const [first, ...others] = await Promise.all([whole, second, third].map(digestOf))
  assert.deepEqual(others, [first, first])
  for (const file of [second, third]) rmSync(file)
  assert.equal(await serve(t, ledger), first)
  // This server creates a first key, which adds an event, so the bytes differ.
  await serve(t, there)
})

/** The SHA-256 of the export from a server of that database, which must take little memory. */
async function serve(t: TestContext, url: string): Promise<string> {
  const server = await startServer(t, url, asShipped)
  const response = await fetch(`${server.url}/v1/export`, { headers: { authorization: `Bearer ${adminKey}` } })
  const hash = createHash('sha256')
  assert.equal(response.status, 200)
  for await (const chunk of response.body ?? []) hash.update(chunk)
  const peak = peakOf(server.process.pid as number)
  t.diagnostic(`export from a server on ${url.replace(/:.*/, '')}: ${Math.round(peak)} MB of memory`)
  assert.ok(peak > 20 && peak < mostMb, `the server took ${peak} MB`)
  await server.end('SIGTERM')
  return hash.digest('hex')
}

const lineOf = async (url: string) =>
  Number((await readRows<{ line: number }>(url, 'select line from imports').catch(() => []))[0]?.line ?? 0)

/**
 * Sends the first part of the export, and keeps the connection open. Kills the import once it has stored most of that
 * part, and more than `last` lines.
 */
async function killAt(url: string, share: number, last: number): Promise<void> {
  const end = Math.floor(statSync(whole).size * share)
  // The import stores a group of lines when the group is complete.
  const line = Math.max(last + 1, (await linesIn(whole, end)) - 3_000)
  const child = begin(['import', '-'], url)
  child.stdin?.on('error', () => {})
  const closed = once(child, 'close')
  const source = createReadStream(whole, { end })
  source.pipe(child.stdin as NodeJS.WritableStream, { end: false })
  while ((await lineOf(url)) < line) {
    if (child.exitCode !== null) throw new Error(`The import ended with ${child.exitCode}.`)
    await sleep(5)
  }
  child.kill('SIGKILL')
  source.destroy()
  const [code] = await closed
  assert.equal(code, null, 'killed')
}

for (const engine of engines) {
  test(`after kill -9 of an import no command opens the database, and the next import continues (${engine.name})`, async (t) => {
    const kills = size(1, 5)
    const lines = await linesIn(whole)
    const url = await engine.freshUrl(t)
    let last = 0
    for (let kill = 1; kill <= kills; kill++) {
      await killAt(url, kill / (kills + 1), last)
      const line = await lineOf(url)
      assert.ok(line > last && line < lines, `${line} of ${lines} lines`)
      last = line
      await assert.rejects(conduct(['run', 'list'], url), /stopped at line \d+: run the same conduct import again/)
    }
    const { seconds } = await conduct(['import', whole], url)
    const again = join(folder, 'again.ndjson')
    await conduct(['export', again], url)
    assert.equal(await digestOf(again), await digestOf(whole))
    rmSync(again)
    t.diagnostic(`${kills} kills, the last at line ${last} of ${lines}; the rest took ${seconds.toFixed(1)} s`)
  })
}

/** The number of lines in a file, to its end or to that byte. */
async function linesIn(file: string, end = Number.POSITIVE_INFINITY): Promise<number> {
  let lines = 0
  for await (const chunk of createReadStream(file, { end }))
    for (const byte of chunk as Buffer) if (byte === 10) lines++
  return lines
}

test('kill -9 of an export leaves no file of that name, and an import rejects the file that it does leave', async (t) => {
  const kills = size(2, 10)
  const copy = join(folder, 'killed.ndjson')
  let midst = 0
  for (let kill = 1; kill <= kills; kill++) {
    const child = begin(['export', copy], ledger)
    const closed = once(child, 'close')
    const draft = `${copy}.${child.pid}`
    const bytes = Math.floor((statSync(whole).size * kill) / (kills + 2))
    while (child.exitCode === null && (statSync(draft, { throwIfNoEntry: false })?.size ?? 0) < bytes) await sleep(2)
    child.kill('SIGKILL')
    await closed
    if (existsSync(copy)) {
      assert.equal(await digestOf(copy), await digestOf(whole))
      rmSync(copy)
      continue
    }
    // It was about to name the draft.
    if ((await digestOf(draft)) === (await digestOf(whole))) {
      rmSync(draft)
      continue
    }
    midst++
    await assert.rejects(conduct(['import', draft, '--check'], ledger), /ended with 2: .*(cut off|truncated)/s)
    rmSync(draft)
  }
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('killed')),
    [],
  )
  // The ledger has not changed.
  await conduct(['export', copy], ledger)
  assert.equal(await digestOf(copy), await digestOf(whole))
  rmSync(copy)
  t.diagnostic(`${kills} kills, ${midst} of them before the export was whole`)
})
