import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ServerProcess, startServer } from '../support/server.ts'
import { readLog } from './log.ts'
import { asShipped, heldBy, inspected, memoryOf } from './memory.ts'
import { prove } from './prove.ts'
import { size } from './size.ts'
import { clientOf } from './writers.ts'

const keys = size(4, 25)
const streamsOfKey = 20
const changes = size(40, 2_000)
const slow = size(5, 20)
/** Changes whose events have 130 KB each. */
const largeChanges = size(50, 200)

prove(
  `${keys * streamsOfKey} streams receive the same changes in the same order, and end with the server`,
  async (t, url) => {
    const server = await startWarm(t, url)
    const client = clientOf(server)
    const newKey = async () => (await client.createKey({ name: 'reader', permissions: ['read'] })).secret
    const one = await newKey()
    const secrets = [one, ...(await Promise.all(Array.from({ length: keys - 1 }, newKey)))]
    const place = (await readLog(client)).length
    const before = await memoryOf(server)
    const openAll = () =>
      Promise.all(secrets.flatMap((key) => Array.from({ length: streamsOfKey }, () => open(server, key, place))))

    const streams = await openAll()
    const refused = await ask(server, one, place)
    assert.deepEqual([refused.statusCode, refused.headers['retry-after']], [429, '15'])
    const reading = Promise.all(streams.map(({ take }) => take(changes)))
    await inTurns(changes, 16, () => client.createRun({ labels: { team: 'web' }, content: '# Some work' }))
    const [told, ...others] = await reading
    assert.deepEqual(told?.map(eventOf), (await readLog(client)).slice(place))
    for (const other of others) assert.deepEqual(other, told)
    const grown = Math.round((await memoryOf(server)) - before)
    t.diagnostic(`${streams.length} streams, ${changes} changes: its memory grew by ${grown} MB`)
    assert.ok(grown <= 100, `its memory grew by ${grown} MB`)

    for (const { drop } of streams) drop()
    const again = await openAll()
    const ends = Promise.all(again.map(({ end }) => end()))
    assert.equal(await server.end('SIGTERM'), 0)
    await ends
    assert.doesNotMatch(server.output(), /warning/i)
  },
)

prove('streams that are far behind and read slowly take little memory, and miss nothing', async (t, url) => {
  const server = await startWarm(t, url, inspected)
  const client = clientOf(server)
  const { secret } = await client.createKey({ name: 'reader', permissions: ['read'] })
  await client.createRun({ runId: 'large' })
  const place = (await readLog(client)).length
  let n = 0
  await inTurns(largeChanges, 2, () => {
    const href = `https://example.com/${n++}/`.padEnd(2000, 'x')
    return client.updateRun({ runId: 'large', links: Array.from({ length: 32 }, () => ({ rel: 'ci', href })) })
  })
  const before = await heldBy(server)
  const streams = await Promise.all(Array.from({ length: slow }, () => open(server, secret, place)))
  const begun = await Promise.all(streams.map(async ({ take }) => ({ take, told: await take(1) })))
  const grown = Math.round((await heldBy(server)) - before)
  t.diagnostic(`${slow} streams: it holds ${grown} MB more`)
  assert.ok(grown <= 50, `it holds ${grown} MB more`)
  const changes = (await readLog(client)).slice(place)
  for (const { take, told } of begun) {
    told.push(...(await take(largeChanges - told.length)))
    assert.deepEqual(told.map(eventOf), changes)
  }
})

/** A server that has reached its memory size under an ordinary load. */
async function startWarm(t: TestContext, url: string, env: Record<string, string> = asShipped): Promise<ServerProcess> {
  const server = await startServer(t, url, env)
  await inTurns(size(100, 1_000), 16, () => clientOf(server).createRun({ content: '# Some work' }))
  return server
}

/** Runs `work` `count` times, `atOnce` at the same time. */
async function inTurns(count: number, atOnce: number, work: () => Promise<unknown>) {
  let left = count
  async function go() {
    while (left-- > 0) await work()
  }
  await Promise.all(Array.from({ length: atOnce }, go))
}

async function ask({ url }: ServerProcess, key: string, after: number): Promise<IncomingMessage> {
  const headers = { accept: 'text/event-stream', authorization: `Bearer ${key}` }
  const [response] = await once(get(`${url}/v1/events?after=${after}`, { agent: false, headers }), 'response')
  return response
}

/** A stream on a socket of its own, opened once the key has a place for it. */
async function open(server: ServerProcess, key: string, after: number) {
  let response = await ask(server, key, after)
  while (response.statusCode === 429) {
    response.destroy()
    await sleep(10)
    response = await ask(server, key, after)
  }
  assert.equal(response.statusCode, 200)
  const chunks: AsyncIterator<string> = response.setEncoding('utf8')[Symbol.asyncIterator]()
  let rest = ''
  return {
    /** The next `count` messages with an event. */
    async take(count: number): Promise<string[]> {
      const told: string[] = []
      while (told.length < count) {
        const { done, value } = await chunks.next()
        assert.ok(!done, 'the stream has ended')
        const messages = (rest + value).split('\n\n')
        rest = messages.pop() ?? ''
        told.push(...messages.filter((message) => message.includes('\ndata: ')))
      }
      return told
    },
    /** Reads to the end of the stream. Throws if the connection breaks. */
    async end() {
      while (!(await chunks.next()).done);
    },
    drop: () => response.destroy(),
  }
}

const eventOf = (message: string) => JSON.parse(message.slice(message.indexOf('\ndata: ') + 7))
