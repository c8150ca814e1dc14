import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConductError } from '../../src/client/client.ts'
import { startServer } from '../support/server.ts'
import { startPostgres } from '../support/setup.ts'
import { readRows } from './database.ts'
import { requireWhole } from './log.ts'
import { isBeside, size } from './size.ts'
import { clientOf, readBack, startWriters } from './writers.ts'

const backMs = isBeside ? 15_000 : 2_000

test('during a restart of PostgreSQL requests return 503 with Retry-After, and nothing is lost', async (t) => {
  const { postgres, url, remove } = await startPostgres(['-c', 'max_connections=50'])
  t.after(async () => {
    await postgres.stop()
    remove()
  })
  const server = await startServer(t, url)
  let refused = 0
  const askToWait = ({ status, requestId, retryAfter }: ConductError) => {
    const asked = status === 503 && requestId !== undefined && retryAfter !== undefined
    if (asked) refused++
    return asked
  }
  for (let restart = 1; restart <= size(1, 20); restart++) {
    const writers = startWriters(t, clientOf(server), `restart-${restart}`, askToWait)
    const acknowledge = (changes: number) => {
      const wanted = writers.acknowledged() + changes
      return writers.until(() => writers.acknowledged() >= wanted)
    }
    await acknowledge(100)
    // PostgreSQL is shut down and crashes in turn.
    if (restart % 2 === 1) await postgres.stop()
    else process.kill(await postmasterOf(url), 'SIGQUIT')
    const before = refused
    await writers.until(() => refused >= before + 32)
    await postgres.start()

    const started = performance.now()
    await acknowledge(1)
    assert(performance.now() - started < backMs, `it was not back within ${backMs} ms`)
    await acknowledge(100)
    await writers.stop()
    await readBack(clientOf(server), writers.touched)
  }
  assert.equal(server.process.exitCode, null)
  await requireWhole(clientOf(server), url)
  t.diagnostic(`${refused} requests were asked to wait`)
})

async function postmasterOf(url: string): Promise<number> {
  const [file] = await readRows<{ text: string }>(url, `select pg_read_file('postmaster.pid') as text`)
  return Number(file?.text.split('\n')[0])
}
