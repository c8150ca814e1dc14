import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { type Engine, engines } from '../support/engines.ts'
import { startServer } from '../support/server.ts'
import { clientOf } from './writers.ts'

const creates = 1_000
const atOnce = 32
const calls = 'pwrite64,fdatasync,fsync,write,writev,sendto,sendmsg'

test('a create is on disk before the caller gets the response, even if many share a commit', async (t) => {
  assert.equal(
    spawnSync('strace', ['-V']).status,
    0,
    'strace is missing: install it, for instance by apt-get install strace',
  )
  const sqlite = engines.find(({ name }) => name === 'sqlite') as Engine
  const server = await startServer(t, await sqlite.freshUrl(t))
  const trace = await traceCalls(t, server.process.pid as number)

  const left = Array.from({ length: creates }, (_, n) => `token-${n}-end`)
  async function create() {
    for (let token = left.pop(); token; token = left.pop()) await clientOf(server).createRun({ title: token })
  }
  await Promise.all(Array.from({ length: atOnce }, create))
  await server.end('SIGTERM')
  await trace.ended

  const { answered, early, syncs } = await read(trace.file)
  t.diagnostic(`${answered} answers, ${syncs} syncs of the log`)
  assert.deepEqual(early, [], 'answered before they were on the disk')
  assert.equal(answered, creates)
  assert(syncs < creates / 2, 'the writers shared no commit')
})

/** Writes the system calls of a process's main thread, which runs SQLite and the sockets, into a file. */
async function traceCalls(t: TestContext, pid: number) {
  const folder = mkdtempSync(join(tmpdir(), 'conduct-strace-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'calls')
  const strace = spawn('strace', ['-y', '-s', '100000', '-e', `trace=${calls}`, '-o', file, '-p', String(pid)])
  const ended = once(strace, 'exit')
  let words = ''
  await new Promise<void>((resolve, reject) => {
    strace.stderr.on('data', (chunk) => {
      words += chunk
      if (/attached/.test(words)) resolve()
    })
    void ended.then(() => reject(new Error(`strace could not attach: ${words}`)))
  })
  return { file, ended }
}

/**
 * Follows each token through the calls: written to the write-ahead log, synced with the log, sent in a response. A
 * token that is sent before it is synced is `early`.
 */
async function read(file: string) {
  const written = new Set<string>()
  const synced = new Set<string>()
  const early: string[] = []
  let answered = 0
  let syncs = 0
  for await (const line of createInterface({ input: createReadStream(file, 'latin1') })) {
    if (/^pwrite64\(\d+<[^>]*-wal>/.test(line)) {
      for (const [token] of line.matchAll(/token-\d+-end/g)) written.add(token)
    } else if (/^f(data)?sync\(\d+<[^>]*-wal>\)\s+= 0/.test(line)) {
      syncs++
      for (const token of written) synced.add(token)
      written.clear()
    } else if (line.includes('HTTP/1.1 201')) {
      for (const [, token] of line.matchAll(/title\\":\\"(token-\d+-end)/g)) {
        answered++
        if (!synced.has(token as string)) early.push(token as string)
      }
    }
  }
  return { answered, early, syncs }
}
