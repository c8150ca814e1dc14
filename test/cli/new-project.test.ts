import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { planOf } from '../../src/cli/operation/plan.ts'
import { names } from '../../src/contract/paths.ts'
import { openServer } from '../support/server.ts'
import { programOf } from './program.ts'
import { localUser, remoteUser, serverUser, testPlaces, type User } from './user.ts'

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

testPlaces('a key or webhook of another project does not need that of the folder, nor create it', async (user) => {
  const { run, json } = setTo('conduct.json', user)
  await run('project create --slug other')
  assert.equal((await json('key create --project other --name a --permission agent --service')).key.project, 'other')
  const { webhook } = await json('webhook create --project other --url https://hooks.example.com/conduct')
  assert.equal(webhook.project, 'other')
  const slugs = (await json('project list')).projects.map(({ slug }: { slug: string }) => slug)
  assert.deepEqual(slugs.sort(), ['default', 'other'])
})

test('a command in a project that does not exist says in one line how to create it', async (t) => {
  const { all, run } = setTo('conduct.json', await serverUser(t))
  for (const words of [
    'run create',
    'run list',
    'run get RUN-001',
    'key create --name a --permission agent --service',
  ]) {
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

test('at an address without the base path, a command in a project asks for the address', async (t) => {
  const user = await serverUser(t)
  const url = user.env.CONDUCT_URL?.replace('/conduct', '/')
  const { all } = setTo('conduct.json', { ...user, env: { ...user.env, CONDUCT_URL: url } })
  for (const words of ['run create', 'run list', 'exec -- true']) {
    const { code, stderr } = await all(words)
    assert.equal(code, words.startsWith('exec') ? 0 : 4)
    assert.match(stderr, /There is nothing at \S+; .* Is the address of the server right, and does it include the base/)
    assert.doesNotMatch(stderr, /no project/)
  }
  const { stdout } = await all('sync')
  assert.match(stdout, /still waiting/, 'nothing is refused')
})

testPlaces('nothing reads, erases or forgets in a mistyped project, and nothing creates it', async ({ env, cwd }) => {
  const { all, run, json } = programOf(env, cwd)
  await run('project create --slug shop')
  await run('run create --project shop --run-id RUN-007')
  const named = [
    'erase --everything --yes',
    'erase --run RUN-007 --yes',
    'forget',
    'forget --dry-run',
    'run list',
    'run get RUN-007',
    'run update RUN-007 --status completed',
    'run delete RUN-007',
    'search word',
  ]
  for (const words of named) {
    const { code, stdout, stderr } = await all(`${words} --project shpo`)
    assert.deepEqual([code, stdout], [4, ''], words)
    assert.match(stderr, /^conduct: There is no project 'shpo'/, words)
  }
  const byVariable = programOf({ ...env, CONDUCT_PROJECT: 'shpo' }, cwd)
  assert.equal((await byVariable.all('erase --everything --yes')).code, 4)
  assert.equal((await byVariable.all('erase - --yes', 'a secret')).code, 0, 'a text is erased in all projects')
  const { projects } = await json('project list --order asc')
  assert.deepEqual(
    projects.map(({ slug }: { slug: string }) => slug),
    ['default', 'shop'],
  )
})

test('in the local database, only what records creates a named project', async (t) => {
  const { env, cwd } = localUser(t)
  const { all, run, json } = programOf(env, cwd)
  const slugs = async () => (await json('project list --order asc')).projects.map(({ slug }: { slug: string }) => slug)
  await run('exec --project executed -- true')
  await run('spec create --project specified --title Ours')
  await run('feature create --project featured --name login')
  assert.deepEqual(await slugs(), ['default', 'executed', 'specified', 'featured'])
  assert.deepEqual((await json('run list')).runs, [], 'the folder names its project itself')
  assert.deepEqual(await slugs(), ['default', 'executed', 'specified', 'featured', 'shop'])
  writeFileSync(join(cwd, 'conduct.json'), '{ "project": "other" }')
  assert.equal((await all('erase --everything --yes')).code, 4, 'it may be the wrong folder')
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
  assert.equal(ofServer.length, 23)
})
