import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { programOf } from './program.ts'
import { localUser } from './user.ts'

test('erasing a text that occurs nowhere says so, and one that occurs says how to go on', async (t) => {
  const { env, cwd } = localUser(t)
  const { all, run } = programOf(env, cwd)
  await run('run create --title passkeys')
  for (const [text, words] of [
    ['nowhere', /^There is nothing to erase: no row has such a text\.\n/],
    ['passkeys', /^Nothing was erased\. .* add --yes\.\n/],
  ] as const) {
    writeFileSync(join(cwd, 'text'), `${text}\n`)
    const { code, stderr } = await all('erase text')
    assert.equal(code, 0)
    assert.match(stderr, words)
  }
})
