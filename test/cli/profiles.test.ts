import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeLike, writePrivate } from '../../src/system/private.ts'
import { adminKey, openServer } from '../support/server.ts'
import { freshFolder, homeOf, smallDisk } from './folder.ts'
import { programOf } from './program.ts'

test('a private file never becomes one that somebody else may read, and leaves no draft', (t) => {
  const folder = freshFolder(t)
  const path = join(folder, 'key')
  writeFileSync(`${path}.${process.pid}`, 'left by a killed process', { mode: 0o666 })
  chmodSync(`${path}.${process.pid}`, 0o666)
  writePrivate(path, 'secret')
  assert.deepEqual([readFileSync(path, 'utf8'), statSync(path).mode & 0o777], ['secret', 0o600])
  mkdirSync(join(folder, 'taken/inside'), { recursive: true })
  assert.throws(() => writePrivate(join(folder, 'taken'), 'secret'))
  assert.deepEqual(readdirSync(folder).sort(), ['key', 'taken'])
})

test('a full disk leaves neither a file nor a part of it, and the error names the file', (t) => {
  const small = smallDisk(t, '64k')
  if (!small) return
  const path = join(small, 'file')
  const full = { code: 'ENOSPC', message: `ENOSPC: no space left on device, write '${path}'` }
  assert.throws(() => writePrivate(path, 'x'.repeat(100_000)), full)
  assert.throws(() => writeLike(path, 'x'.repeat(100_000), undefined), full)
  assert.deepEqual(readdirSync(small), [])
})

test('a profile is stored after its key has worked, from any safe source of the key', async (t) => {
  const folder = freshFolder(t)
  const { url } = await openServer(t)
  const { all, run, json } = programOf(homeOf(folder), folder)
  const told = await run(`profile add work ${url}/ --key-stdin --project default`, `${adminKey}\n`)
  assert.match(told, /^profile: +work, in use\nurl: +\S+\nkey: +first admin\npermissions: admin\nproject: +default$/m)
  const file = join(folder, '.config/conduct/profiles.json')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(JSON.parse(readFileSync(file, 'utf8')).profiles.work.url, url)

  writeFileSync(join(folder, 'key'), `${adminKey}\n`)
  chmodSync(join(folder, 'key'), 0o640)
  const open = await all(`profile add other ${url} --key-file key`)
  assert.deepEqual([open.code, open.stdout], [2, ''])
  assert.match(open.stderr, /Other users can read key: run chmod 600 key/)
  chmodSync(join(folder, 'key'), 0o600)
  assert.match(
    (await all(`profile add other ${url} --key-file key`)).stderr,
    /work is still in use\. To use the new one: conduct profile use other/,
  )

  const listed = await run('profile list')
  assert.match(listed, /^\* +work +http/m)
  assert.match(listed, /^ +local +sqlite:/m)
  assert.ok(!listed.includes('sk_'))
  assert.ok(!JSON.stringify(await json('profile list')).includes('sk_'))
  assert.equal((await json('whoami')).key.name, 'first admin')
  await run('profile use local')
  assert.equal((await json('whoami')).key, null)
  assert.equal((await json('whoami --profile other')).key.name, 'first admin')
  await run('profile use other')
  assert.match(await run('profile remove other'), /now using the local database/)
  assert.equal((await json('profile list')).current, 'local')
  assert.equal((await all('profile use other')).code, 2)
})

test('only what the file has is a profile', async (t) => {
  const folder = freshFolder(t)
  const { all } = programOf(homeOf(folder), folder)
  const file = join(folder, '.config/conduct/profiles.json')
  mkdirSync(join(folder, '.config/conduct'), { recursive: true })
  for (const content of [undefined, '{}', '{"profiles":{}}']) {
    if (content !== undefined) writeFileSync(file, content)
    for (const words of ['profile use constructor', 'profile remove valueOf', 'run list --profile constructor']) {
      const { code, stderr } = await all(words)
      assert.equal(code, 2, `${content} ${words}`)
      assert.match(stderr, /There is no profile '\w+'\. There are: local\./)
    }
  }
  writeFileSync(file, 'null')
  assert.match((await all('profile list')).stderr, /Cannot read .*profiles\.json .*: repair it/)
})

test('a profile that does not work is not stored', async (t) => {
  const folder = freshFolder(t)
  const { url } = await openServer(t)
  const wrongKey = `sk_admin_${'x'.repeat(43)}`
  const { all } = programOf({ ...homeOf(folder), CONDUCT_API_KEY: wrongKey }, folder)
  assert.equal((await all(`profile add work ${url}`)).code, 3)
  const noBase = await all(`profile add work ${new URL(url).origin}`)
  assert.equal(noBase.code, 2)
  assert.match(noBase.stderr, /Is the base path missing, as in http.*\d\/conduct\?/)
  for (const [words, said] of [
    ['profile add local http://localhost/conduct', /'local' cannot name a profile/],
    ['profile add work localhost:3000', /not the address of a server/],
    ['profile add work http://user:p@word@localhost/conduct', /not the address of a server/],
  ] as const) {
    const { code, stderr } = await all(words)
    assert.deepEqual([code, said.test(stderr)], [2, true], stderr)
    assert.ok(!stderr.includes('word@'))
  }
  const { CONDUCT_API_KEY: _, ...env } = { ...homeOf(folder), CONDUCT_API_KEY: '' }
  const nothing = await programOf(env, folder).all(`profile add work ${url}`)
  assert.match(nothing.stderr, /A key is needed: set CONDUCT_API_KEY, pass --key-stdin or --key-file/)
  const noKey = await programOf(env, folder).all(`profile add work ${url} --key-stdin`, 'hello')
  assert.match(noKey.stderr, /That is not a key/)
  assert.ok(!noKey.stderr.includes('hello'))
})

test('anyone who can open the database can create a new admin key', async (t) => {
  const folder = freshFolder(t)
  const databaseUrl = `sqlite:${join(folder, 'conduct.db')}`
  const { url } = await openServer(t, databaseUrl)
  const local = programOf({ ...homeOf(folder), CONDUCT_URL: url, CONDUCT_DATABASE_URL: databaseUrl }, folder)
  const secret = await local.run(
    'key create --profile local --all-projects --name rescue --permission admin --service --quiet',
  )
  const server = programOf({ ...homeOf(folder), CONDUCT_URL: url, CONDUCT_API_KEY: secret.trim() }, folder)
  const { key } = await server.json('whoami')
  assert.deepEqual([key.name, key.project, key.permissions], ['rescue', null, ['admin']])
})

test('a new key that is for one project by the settings says so', async (t) => {
  const folder = freshFolder(t)
  const { url } = await openServer(t)
  const env = { ...homeOf(folder), CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
  const words = 'key create --name admin --permission admin --service'
  const inProject = programOf({ ...env, CONDUCT_PROJECT: 'default' }, folder)
  const { stderr } = await inProject.all(words)
  assert.equal(stderr, "The key is for the project 'default'. For one of the whole server: --all-projects\n")
  for (const more of ['--all-projects', '--project default', '--quiet'])
    assert.equal((await inProject.all(`${words} ${more}`)).stderr, '', more)
})

test('with --all-projects, a key of one project creates no narrower key or webhook instead', async (t) => {
  const folder = freshFolder(t)
  const { url } = await openServer(t)
  const program = (key: string) => programOf({ ...homeOf(folder), CONDUCT_URL: url, CONDUCT_API_KEY: key }, folder)
  const whole = program(adminKey)
  const { key } = await whole.json('key create --all-projects --name whole --permission read --service')
  assert.equal(key.project, null)
  const { secret } = await whole.json('key create --project default --name part --permission admin --service')
  const part = program(secret)
  for (const words of [
    'key create --name x --permission read --service',
    'webhook create --url https://example.com/',
  ]) {
    const { code, stderr } = await part.all(`${words} --all-projects`)
    assert.equal(code, 3)
    assert.match(stderr, /A key of one project can create \w+ only for that project/)
  }
})
