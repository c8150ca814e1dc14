import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect, placeOf } from '../../src/place/connect.ts'
import { writeProfiles } from '../../src/place/profile.ts'
import { engines } from '../support/engines.ts'
import { adminKey, openServer } from '../support/server.ts'
import { freshFolder, homeOf } from './folder.ts'

for (const engine of engines) {
  test(`without a server, commands open the database in process, and create the project (${engine.name})`, async (t) => {
    const env = { ...homeOf(freshFolder(t)), CONDUCT_DATABASE_URL: await engine.freshUrl(t) }
    const place = placeOf({ project: 'shop' }, env, '/')
    const both = await Promise.all([connect(place, env), connect(place, env)])
    const [one, other] = both
    const { run } = await one.client.createRun({ status: 'completed' })
    assert.equal(run.project, 'shop')
    assert.equal((await other.client.getRun({ runId: run.runId })).run.project, 'shop')
    assert.equal((await one.client.me()).key, null)
    assert.deepEqual((await one.client.listKeys()).keys, [], 'the first key is left to the first server')
    await Promise.all(both.map(({ close }) => close()))
  })
}

test('the place is that of the flag, else CONDUCT_URL, the current profile or the local file', (t) => {
  const env = homeOf(freshFolder(t))
  const local = placeOf({}, env, env.HOME)
  assert.equal(local.kind, 'local')
  assert.match(local.kind === 'local' ? local.databaseUrl : '', /^sqlite:.*conduct\.db$/)
  writeProfiles(env, {
    current: 'work',
    profiles: { work: { url: 'http://w', project: 'p' }, home: { url: 'http://h' } },
  })
  assert.equal(statSync(join(env.HOME, '.config/conduct/profiles.json')).mode & 0o777, 0o600)
  const server = (url: string, profile: string | undefined, project: string | undefined) =>
    ({ kind: 'server', url, profile, project }) as const
  assert.deepEqual(placeOf({}, env, env.HOME), server('http://w', 'work', 'p'))
  const fromEnv = { ...env, CONDUCT_URL: 'http://e', CONDUCT_PROJECT: 'q' }
  assert.deepEqual(placeOf({}, fromEnv, env.HOME), server('http://e', undefined, 'q'))
  assert.deepEqual(placeOf({ profile: 'home', project: 'r' }, fromEnv, env.HOME), server('http://h', 'home', 'r'))
  assert.throws(() => placeOf({ profile: 'hom' }, env, env.HOME), /no profile 'hom'\. There are: local, work, home/)
})

test('a relative database is the same file from any folder', (t) => {
  const env = { ...homeOf(freshFolder(t)), CONDUCT_DATABASE_URL: 'sqlite:data/conduct.db' }
  assert.deepEqual(placeOf({ project: 'shop' }, env, '/srv'), {
    kind: 'local',
    databaseUrl: 'sqlite:/srv/data/conduct.db',
    project: 'shop',
    isNamed: true,
  })
})

test('the key comes from the profile, or from CONDUCT_API_KEY', async (t) => {
  const folder = freshFolder(t)
  const { url } = await openServer(t, `sqlite:${join(folder, 'conduct.db')}`)
  const env = homeOf(folder)
  writeProfiles(env, { profiles: { work: { url, key: adminKey } } })
  const byProfile = await connect(placeOf({ profile: 'work' }, env, folder), env)
  assert.equal((await byProfile.client.me()).key?.name, 'first admin')
  const fromEnv = { ...env, CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
  const byEnv = await connect(placeOf({}, fromEnv, folder), fromEnv)
  assert.equal((await byEnv.client.me()).key?.name, 'first admin')
})
