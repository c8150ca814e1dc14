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

test('a key is erased by its number, and gets another name', async (t) => {
  const { env, cwd } = localUser(t)
  const { all, run } = programOf(env, cwd)
  await run('key create --name ben --permission read --service')
  const nameOf = async () => JSON.parse(await run('key list --json')).keys[0].name
  assert.match((await all('erase --key 1')).stderr, /^Nothing was erased\. .* add --yes\.\n/)
  assert.equal(await nameOf(), 'ben')
  await run('erase --key 1 --yes')
  assert.equal(await nameOf(), '[erased]')
  await run('key update 1 --name laptop')
  assert.equal(await nameOf(), 'laptop')
  assert.match((await all('erase --key ben')).stderr, /must be the number of a key/)
  assert.match((await all('erase --key 1 --run RUN-001')).stderr, /Pass one of/)
})
