import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '../../src/client/client.ts'
import { near, nearestOf } from '../../src/mcp/search.ts'

test('only similar ids are suggested, nearest first', () => {
  const ids = ['RUN-075', 'RUN-074', 'AUTH-001', 'AUTH-010', 'SHOP-001', 'AUTH-001']
  const cases: [wanted: string, nearest: string[]][] = [
    ['AUTH-002', ['AUTH-001', 'AUTH-010']],
    ['auth-1', ['AUTH-001', 'AUTH-010']],
    ['run-75', ['RUN-075', 'RUN-074']],
    ['PAY-001', []],
    ['ATUH-001', ['AUTH-001']],
    ['Passkeys', []],
    ['', []],
    ['9', []],
  ]
  for (const [wanted, nearest] of cases) assert.deepEqual(nearestOf(wanted, ids), nearest, wanted)
})

test('a search that fails suggests nothing, and hides no other error', async () => {
  const client = createClient({
    url: 'http://localhost/conduct',
    fetch: async () => Response.json({ error: 'Searching took too long.', code: 'UNAVAILABLE' }, { status: 503 }),
    attempts: 1,
  })
  assert.equal(await near({ client }, 'RUN-001'), '')
})
