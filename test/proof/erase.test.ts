import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, ConductError, createClient, type Input } from '../../src/client/client.ts'
import { verify } from '../../src/verify/verify.ts'
import { adminKey, type ServerProcess, startServer } from '../support/server.ts'
import { readRows } from './database.ts'
import { createMany } from './fill.ts'
import { prove } from './prove.ts'
import { size } from './size.ts'
import { clientOf, noAnswer, readBack, startWriters } from './writers.ts'

const word = 'sk_live_Qx7Zt9'
/** The word as in the word index. */
const folded = word.toLowerCase()

/** Each run whose number is a multiple of `every` contains the word. */
const runOf =
  (every: number) =>
  (n: number): Input<'createRun'> => ({
    runId: `S-${n}`,
    title: n % every === 0 ? `deploy with ${word}` : 'deploy',
    content: `${'An ordinary line of a log.\n'.repeat(20)}${n % every === 0 ? `token ${word}\n` : ''}`,
    status: 'completed',
  })

/** A client that tries again if the server turns it away. */
const patientOf = ({ url }: ServerProcess) => createClient({ url, key: adminKey })

/** Erases until everything is erased, as the command does. The client retries if the server is away or busy. */
async function eraseAll(client: Client): Promise<void> {
  let answer = await client.erase({ text: word })
  while (answer.hasMore) answer = await client.erase({ text: word, cursor: answer.nextCursor })
}

const folderOf = (url: string) => dirname(url.slice('sqlite:'.length))

/** Places that still contain the word: files of SQLite, byte by byte, or tables of PostgreSQL in any column. */
async function placesOf(url: string): Promise<string[]> {
  if (url.startsWith('sqlite:')) {
    return readdirSync(folderOf(url)).filter((name) => {
      const bytes = readFileSync(join(folderOf(url), name))
      return bytes.includes(word) || bytes.includes(folded)
    })
  }
  const tables = await readRows<{ name: string }>(
    url,
    "select relname as name from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace",
  )
  const places: string[] = []
  for (const { name } of tables) {
    const text = `select 1 from ${name} t where position('${word}' in t::text) > 0 or position('${folded}' in t::text) > 0 limit 1`
    if ((await readRows(url, text)).length > 0) places.push(name)
  }
  return places
}

prove('an erasure that was killed under writers can be completed, and nothing of the text is left', async (t, url) => {
  let server = await startServer(t, url)
  await createMany(patientOf(server), size(100, 2_000), runOf(2))
  let kills = 0
  for (let round = 1; round <= size(1, 40); round++) {
    const writers = startWriters(t, clientOf(server), `erase-${round}`, ({ code }) => code === 'UNAVAILABLE')
    await clientOf(server).createRun({ runId: `AGAIN-${round}`, title: word, content: word })
    const erasing = eraseAll(clientOf(server)).catch((error) => {
      if (!(error instanceof ConductError && noAnswer(error))) throw error
      kills++
    })
    await sleep(Math.random() * size(300, 1_500))
    await server.end('SIGKILL')
    await Promise.all([erasing, writers.stop()])
    server = await startServer(t, url)
    await readBack(clientOf(server), writers.touched)
  }
  const writers = startWriters(t, clientOf(server), 'last', ({ code }) => code === 'UNAVAILABLE')
  const client = clientOf(server)
  if (url.startsWith('sqlite:')) await isToldOfReader(client, url)
  await eraseAll(client)
  await writers.stop()
  await readBack(client, writers.touched)
  assert.deepEqual((await client.search({ q: word })).results, [])
  assert.deepEqual((await verify(client, [])).faults, [])
  await server.end('SIGTERM')
  assert.deepEqual(await placesOf(url), [])
  t.diagnostic(`${kills} erasures were cut off`)
})

/** Asserts that erasing returns an error while another process reads an earlier state. */
async function isToldOfReader(client: Client, url: string): Promise<void> {
  const reader = new DatabaseSync(url.slice('sqlite:'.length), { readOnly: true })
  reader.exec('begin')
  reader.prepare('select count(*) from runs').get()
  await assert.rejects(eraseAll(client), {
    code: 'UNAVAILABLE',
    message: /All texts are erased, but .* is reading the database/,
  })
  reader.exec('commit')
  reader.close()
}

prove('a text is erased from every page of a large ledger', async (t, url) => {
  const runs = size(150, 20_000)
  const server = await startServer(t, url)
  const client = clientOf(server)
  await createMany(patientOf(server), runs, runOf(100))
  while ((await client.search({ q: 'nothing' })).results.length > 0);
  const bytes = url.startsWith('sqlite:') ? statSync(url.slice('sqlite:'.length)).size : 0
  assert.notDeepEqual(await placesOf(url), [])
  const started = performance.now()
  await eraseAll(client)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  assert.deepEqual(await placesOf(url), [])
  assert.equal((await client.getRun({ runId: 'S-100' })).run.title, '[erased]')
  const of = bytes === 0 ? '' : ` of ${Math.round(bytes / 1e6)} MB`
  t.diagnostic(`${seconds} s to erase a text in ${runs / 100} of ${runs} runs${of}`)
})
