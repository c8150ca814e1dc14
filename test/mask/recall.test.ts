import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { mask } from '../../src/mask/mask.ts'
import { seen, unseen } from './corpus.ts'

const page = readFileSync(new URL('../../docs/recording.md', import.meta.url), 'utf8')

/** The texts whose secret is still there once they are masked among other lines. */
async function missedOf(corpus: [text: string, secret: string][]): Promise<string[]> {
  const masked = await Promise.all(corpus.map(async ([text]) => mask(`first line\n${text}\nlast line`)))
  return corpus.filter(([, secret], index) => masked[index]?.includes(secret)).map(([text]) => text)
}

test('the secrets that the rules know are masked but for these, and the documentation says how many', async () => {
  const missed = await missedOf(seen)
  assert.deepEqual(missed, [
    'COOKIE_SECRET=abc',
    '      MYSQL_ROOT_PASSWORD: example-root',
    'datasource.password = swordfish',
    'openssl enc -aes-256-cbc -k swordfish',
    'echo swordfish | docker login --password-stdin',
  ])
  assert.ok(page.includes(`${seen.length - missed.length} of ${seen.length}`))
})

test('of secrets that the rules were not written for, as many are masked as the documentation says', async () => {
  const missed = await missedOf(unseen)
  assert.ok(
    page.includes(`${unseen.length - missed.length} of ${unseen.length}`),
    `${missed.length} missed:\n${missed.join('\n')}`,
  )
})
