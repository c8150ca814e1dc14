import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CallOptions, type Client, ConductError } from '../../src/client/client.ts'
import { startServer } from '../support/server.ts'
import { readRows } from './database.ts'
import { requireWhole } from './log.ts'
import { prove } from './prove.ts'
import { size } from './size.ts'
import { clientOf, noAnswer } from './writers.ts'

const creates = size(60, 10_000)
/** The number of creates between two kills of the server. */
const killEvery = size(20, 250)

prove(
  'a create, an append and a turn happen once each, despite duplicates, cut connections and kills',
  async (t, url, engine) => {
    let server = await startServer(t, url)
    let over = false
    t.after(() => {
      over = true
    })
    const made = new Map<string, string>()

    /** Sends a call until it gets a response, and cuts every third connection after a moment. */
    async function send<Answer>(
      call: (client: Client, options: CallOptions) => Promise<Answer>,
      idempotencyKey: string,
    ) {
      while (!over) {
        const cut = Math.random() < 0.33 ? { signal: AbortSignal.timeout(Math.floor(Math.random() * 30)) } : {}
        try {
          return await call(clientOf(server), { idempotencyKey, ...cut })
        } catch (error) {
          if (!cut.signal?.aborted && !(error instanceof ConductError && noAnswer(error))) throw error
          await sleep(10)
        }
      }
      throw new Error('The test is over.')
    }

    const create = async (key: string): Promise<string> => {
      const input = { agent: key, content: `# ${key}`, labels: { key } }
      return (await send((client, options) => client.createRun(input, options), key)).run.runId
    }
    const append = (key: string, runId: string) =>
      send((client, options) => client.appendToRun({ runId, text: `appended ${key}\n` }, options), `append-${key}`)
    const turn = (key: string, runId: string) =>
      send((client, options) => client.appendTurn({ runId, prompt: key }, options), `turn-${key}`)

    const keys = Array.from({ length: creates }, (_, n) => `key-${n}`)
    async function work() {
      for (let key = keys.pop(); key; key = keys.pop()) {
        const [first, ...others] = await Promise.all(Array.from({ length: 3 }, () => create(key)))
        for (const other of others) assert.equal(other, first)
        await Promise.all([append, append, turn, turn].map((one) => one(key, first as string)))
        made.set(key, first as string)
      }
    }
    async function kill() {
      for (let next = killEvery; next < creates; next += killEvery) {
        while (made.size < next && !over) await sleep(1)
        if (over) return
        await server.end('SIGKILL')
        server = await startServer(t, url)
      }
    }
    await Promise.all([kill(), ...Array.from({ length: 8 }, work)])

    for (const [key, runId] of [...made].slice(-100)) assert.equal(await create(key), runId)
    const rows = await readRows<{ agent: string; runId: string }>(url, 'select agent, run_id as "runId" from runs')
    assert.equal(rows.length, creates)
    assert.deepEqual(new Map(rows.map(({ agent, runId }) => [agent, runId])), made)
    for (const [key, runId] of made) {
      const { run } = await clientOf(server).getRun({ runId })
      assert.equal(run.content.split(`appended ${key}\n`).length, 2, run.content)
      assert.equal(run.content.split(`> ${key}\n`).length, 2, run.content)
      const { turns } = await clientOf(server).listTurns({ runId })
      assert.deepEqual(
        turns.map(({ prompt }) => prompt),
        [key],
      )
    }
    const numbers = new Set(rows.map(({ runId }) => Number(runId.slice('RUN-'.length))))
    assert.equal(numbers.size, creates)
    // On PostgreSQL, a number is taken before its transaction, so a killed server leaves some numbers unused.
    if (engine.name === 'sqlite') assert.equal(Math.max(...numbers), creates)
    await requireWhole(clientOf(server), url)
  },
)
