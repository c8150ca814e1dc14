import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { names } from '../../src/api/paths.ts'
import { planOf } from '../../src/cli/operation/plan.ts'
import { openServer } from '../support/server.ts'
import { programOf } from './program.ts'
import { remoteUser, serverUser, testPlaces, type User } from './user.ts'

/** A program of that user that acts in the project `shop`, which does not exist. */
function setTo(way: 'conduct.json' | 'CONDUCT_PROJECT', { env, cwd }: User) {
  if (way === 'CONDUCT_PROJECT') return programOf({ ...env, CONDUCT_PROJECT: 'shop' }, cwd)
  writeFileSync(join(cwd, 'conduct.json'), '{ "project": "shop" }')
  return programOf(env, cwd)
}

for (const way of ['conduct.json', 'CONDUCT_PROJECT'] as const) {
  testPlaces(`the project in ${way} can be created, and commands without a project work before`, async (user) => {
    const { run, json } = setTo(way, user)
    const listed = async () =>
      (await json('project list --order asc')).projects.map(({ slug }: { slug: string }) => slug)
    assert.deepEqual(await listed(), ['default'])
    assert.deepEqual((await json('whoami')).permissions, ['admin'])
    assert.ok(Array.isArray((await json('key list')).keys))
    assert.match(await run('status'), /^project: +shop, which does not exist yet; /m)
    assert.deepEqual(await listed(), ['default'], 'looking creates nothing')
    await run('project create --slug shop')
    await run('project update shop --name Shop')
    assert.deepEqual(await listed(), ['default', 'shop'])
    assert.equal((await json('run create')).run.project, 'shop')
  })
}

test('a command in a project that does not exist says in one line how to create it', async (t) => {
  const { all, run } = setTo('conduct.json', await serverUser(t))
  for (const words of ['run create', 'run list', 'run get RUN-001', 'key create --name a --permission agent']) {
    const { code, stderr } = await all(words)
    assert.equal(code, 4, words)
    assert.equal(
      stderr,
      "conduct: There is no project 'shop', or this key cannot see it. To create it: conduct project create --slug shop\n",
    )
  }
  const { stdout } = await all('doctor')
  assert.match(stdout, /^ok +key /m)
  assert.match(stdout, /^fail +project .*conduct project create --slug shop$/m)
  await run('project create --slug shop')
  assert.match((await all('run get RUN-001')).stderr, /RUN-001/)
})

test('a profile for a project that does not exist yet is stored', async (t) => {
  const { url } = await openServer(t)
  const { env, cwd } = remoteUser(t, url)
  const { all } = programOf({ ...env, CONDUCT_URL: undefined }, cwd)
  const { code, stderr } = await all(`profile add work ${url} --project shop`)
  assert.equal(code, 0, stderr)
  assert.match(stderr, /no project 'shop'.*conduct project create --slug shop --profile work$/m)
})

test('keys, projects, webhooks, sessions and the seal belong to the server, everything else to a project', () => {
  const ofServer = names.filter((name) => !planOf(name).actsInProject)
  assert.deepEqual(
    ofServer.map((name) => /Project|Key|Webhook|Session|LoginCode|Checkpoint|Proof|Consistency|Leaves|^me$/.test(name)),
    ofServer.map(() => true),
  )
  assert.ok(planOf('createKey').actsInProject, 'a key may be for one project')
  assert.equal(ofServer.length, 22)
})
