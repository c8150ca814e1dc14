import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '../src/client/client.ts'
import { createApp } from '../src/http/app.ts'
import { openStore } from '../src/store/open.ts'
import { followLog, isBehind } from '../src/store/search/follow.ts'
import { base, engines } from './support/engines.ts'

for (const engine of engines) {
  // No jobs run here: they would index in steps of their own.
  test(`the index makes progress even if every step is out of time from the start (${engine.name})`, async (t) => {
    const store = await openStore((await engine.ledger(t)).url)
    t.after(() => store.close())
    const app = createApp({ store, rateLimit: 0, contentLimit: 300_000 })
    const client = createClient({ url: base, key: store.newSecret ?? '', fetch: (request) => app.fetch(request) })
    const found = async (q: string) => {
      for (let steps = 0; await isBehind(store.db); steps++) {
        assert.ok(steps < 50, 'the index is still behind after 50 steps')
        await followLog(store.db, 0)
      }
      return (await client.search({ q })).results.map(({ subject }) => subject)
    }
    await client.createRun({ runId: 'LOG', content: `begin ${'filler '.repeat(20_000)} border` })
    assert.deepEqual([await found('begin'), await found('border')], [['LOG'], ['LOG']])
    for (let n = 0; n < 8; n++) {
      await client.appendToRun({ runId: 'LOG', text: `\nline${n}x ${'filler '.repeat(10_000)}` })
      assert.deepEqual(await found(`line${n}x`), ['LOG'])
    }
    assert.deepEqual([await found('begin'), await found('border')], [['LOG'], []])
  })
}
