import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConductError } from '../../src/client/client.ts'
import { startServer } from '../support/server.ts'
import { readRows } from './database.ts'
import { requireWhole } from './log.ts'
import { prove } from './prove.ts'
import { size } from './size.ts'
import { clientOf, noAnswer } from './writers.ts'

const creates = size(200, 10_000)
/** How many creates lie between two kills of the server. */
const killEvery = size(80, 250)

prove('a create happens once, through duplicates, cut connections and kills', async (t, url, engine) => {
  let server = await startServer(t, url)
  let over = false
  t.after(() => {
    over = true
  })
  const made = new Map<string, string>()

  /** Sends a create until it is answered, and cuts every third connection after a moment. */
  async function create(key: string): Promise<string> {
    while (!over) {
      const cut = Math.random() < 0.33 ? { signal: AbortSignal.timeout(Math.floor(Math.random() * 30)) } : {}
      try {
        const input = { agent: key, content: `# ${key}`, labels: { key } }
        const { run } = await clientOf(server).createRun(input, { idempotencyKey: key, ...cut })
        return run.runId
      } catch (error) {
        if (!cut.signal?.aborted && !(error instanceof ConductError && noAnswer(error))) throw error
        await sleep(10)
      }
    }
    throw new Error('The test is over.')
  }

  const keys = Array.from({ length: creates }, (_, n) => `key-${n}`)
  async function work() {
    for (let key = keys.pop(); key; key = keys.pop()) {
      const [first, ...others] = await Promise.all(Array.from({ length: 3 }, () => create(key)))
      for (const other of others) assert.equal(other, first)
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
  const numbers = new Set(rows.map(({ runId }) => Number(runId.slice('RUN-'.length))))
  assert.equal(numbers.size, creates)
  // On PostgreSQL a number is claimed before its transaction, so a server that is killed leaves some unused.
  if (engine.name === 'sqlite') assert.equal(Math.max(...numbers), creates)
  await requireWhole(clientOf(server), url)
})
