import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mask } from '../../src/mask/mask.ts'
import { keysOfServices } from '../../src/mask/services.ts'
import { keys } from './keys.ts'

test('the keys of each service are masked whole, in the middle of a sentence', async () => {
  assert.deepEqual(Object.keys(keys), Object.keys(keysOfServices))
  for (const [service, pattern] of Object.entries(keysOfServices)) {
    for (const key of keys[service] ?? []) {
      assert.ok(key.search(pattern) >= 0, `${service}: ${key}`)
      const masked = await mask(`the agent printed ${key} in its output`)
      assert.match(masked, /^the agent printed (?:FlyV1 |prod:[a-z0-9-]+\|)?\[masked\] in its output$/, service)
    }
  }
})

test('hashes, ids, integrities and pictures are no keys', async () => {
  const bytes = Uint8Array.from({ length: 60_000 }, (_, index) => (index * 7919 + (index >> 3) * 104_729) % 251)
  const picture = Buffer.from(bytes).toString('base64')
  for (const text of [
    'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    '3f2504e04f8911d39a0c0305e82c3301aaf1c2d3 and 3f2504e0-4f89-41d3-9a0c-0305e82c3301',
    'api-3f2504e0-4f89-41d3-9a0c-0305e82c3301, pod api-7d4b9c6f5d-x2x4z',
    `"integrity": "sha512-${picture.slice(0, 86)}=="`,
    'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    `data:image/png;base64,${picture}`,
    `data:font/woff2;base64,${'A'.repeat(2_000)}/EAAA${'A'.repeat(200)}`,
  ]) {
    assert.equal(await mask(text), text)
  }
})
