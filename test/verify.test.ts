import assert from 'node:assert/strict'
import sql from 'sql-template-tag'
import { checkpointsIn } from '../src/log/seal/signed-note.ts'
import { verify } from '../src/verify/verify.ts'
import { testLedger } from './support/engines.ts'

testLedger('a key that is renamed between two pages of the log is no fault', async (ledger) => {
  const { client, app, as } = ledger
  const { key, secret } = await client.createKey({ name: 'first', permissions: ['agent'] })
  const agent = as({ key: secret })
  for (let n = 0; n < 3; n++) await agent.createRun({})
  const anchors = checkpointsIn((await client.getCheckpoint()).note)
  let pages = 0
  const short = as({
    async fetch(request) {
      const url = new URL(request.url)
      if (!url.pathname.endsWith('/v1/log/leaves')) return app.fetch(request)
      url.searchParams.set('limit', '5')
      const response = await app.fetch(new Request(url, request))
      if (++pages === 1) await client.updateKey({ id: key.id, name: 'second' })
      return response
    },
  })
  assert.deepEqual((await verify(short, anchors)).faults, [])
  assert.ok(pages > 1)
})

testLedger('events that show the name that a key had before are a fault', async ({ client, as, store }) => {
  const { key, secret } = await client.createKey({ name: 'first', permissions: ['agent'] })
  await as({ key: secret }).createRun({})
  await client.updateKey({ id: key.id, name: 'second' })
  const anchors = checkpointsIn((await client.getCheckpoint()).note)
  await store.db.tx((tx) => tx.query(sql`update actors set name = 'first' where name = 'second'`))
  const { faults } = await verify(client, anchors)
  assert.match(faults[0]?.words ?? '', /^Event \d+ shows key \d+ as "first", and the log names it "second"\.$/)
})
