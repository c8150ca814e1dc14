import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { mask } from '../../src/mask/mask.ts'
import { beyond, seen, unseen } from './corpus.ts'
import { everyday } from './everyday.ts'
import { isShown, surroundings } from './surroundings.ts'

const page = readFileSync(new URL('../../docs/privacy.md', import.meta.url), 'utf8')

type Corpus = [text: string, secret: string][]

/** The texts whose secret is still there after masking, in the given surroundings. */
async function missedOf(corpus: Corpus, around = surroundings.plain): Promise<string[]> {
  const masked = await Promise.all(corpus.map(async ([text]) => mask(around?.(text) ?? text)))
  return corpus.filter(([, secret], index) => isShown(masked[index] ?? '', secret)).map(([text]) => text)
}

test('only these of the secrets for which the rules were first written are missed', async () => {
  assert.deepEqual(await missedOf(seen), [
    'COOKIE_SECRET=abc',
    '      MYSQL_ROOT_PASSWORD: example-root',
    'datasource.password = swordfish',
  ])
})

for (const [kind, corpus] of Object.entries(everyday)) {
  test(`nine in ten secrets of ${kind} are masked, plain, coloured, in JSON and in an address`, async () => {
    for (const [where, around] of Object.entries(surroundings)) {
      const missed = await missedOf(corpus, around)
      assert.ok(missed.length <= corpus.length / 10, `${where}, ${missed.length} missed:\n${missed.join('\n')}`)
    }
  })
}

test('95 % of all secrets are masked, and the documentation says how many in each surrounding', async () => {
  const all = [...seen, ...unseen, ...beyond, ...Object.values(everyday).flat()]
  for (const [where, around] of Object.entries(surroundings)) {
    const missed = await missedOf(all, around)
    const masked = all.length - missed.length
    assert.ok(masked >= 0.95 * all.length, `${where}: ${masked} of ${all.length}, missed:\n${missed.join('\n')}`)
    assert.ok(page.includes(`${masked} of ${all.length}`), `${where}: ${masked} of ${all.length}`)
  }
})
