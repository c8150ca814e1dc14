import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { settleNotes } from '../../src/capture/hook/session.ts'
import { sendBeats } from '../../src/capture/spool/beat.ts'
import { newCall } from '../../src/capture/spool/calls.ts'
import { deliver } from '../../src/capture/spool/deliver.ts'
import { stateOf } from '../../src/capture/spool/state-file.ts'
import { sync } from '../../src/capture/spool/sync.ts'
import { createClient } from '../../src/client/client.ts'
import { writeProfiles } from '../../src/place/profile.ts'
import { main } from '../support/program.ts'
import { adminKey, openServer } from '../support/server.ts'
import { freshFolder, homeOf } from './folder.ts'
import { conductHere, programOf } from './program.ts'
import { claudeIn, letPass, syncAll } from './session.ts'
import { gitIn, writeFiles } from './user.ts'

/** A server with a key for a project of that name, and a folder for it in that home. */
async function serverOf(t: TestContext, home: string, project: string) {
  const { url } = await openServer(t)
  const admin = createClient({ url, key: adminKey })
  await admin.createProject({ slug: project })
  const { secret } = await admin.createKey({ name: `key of ${project}`, permissions: ['agent'], project })
  const cwd = join(home, project)
  mkdirSync(cwd)
  writeFiles(cwd, { 'conduct.json': JSON.stringify({ project }) })
  const client = createClient({ url, key: adminKey, project })
  const env = { ...homeOf(home), CONDUCT_URL: url, CONDUCT_API_KEY: secret }
  const told = async () =>
    (await client.listRuns()).runs.map(({ title, createdBy, status }) => `${title}: ${status} by ${createdBy.name}`)
  return { url, secret, cwd, env, client, told }
}

type ServerUser = Awaited<ReturnType<typeof serverOf>>

async function session({ cwd, env }: { cwd: string; env: Record<string, string | undefined> }, title: string) {
  const claude = claudeIn(cwd, env)
  await claude.prompt(title)
  await claude.stop()
  await claude.end()
}

test('sessions for two servers share one state, and each is sent to its own server with its own key', async (t) => {
  const home = freshFolder(t)
  const [shop, blog] = [await serverOf(t, home, 'shop'), await serverOf(t, home, 'blog')]
  await session(shop, 'Sell')
  await session(blog, 'Write')
  const first = await conductHere(['sync'], shop.env)
  assert.equal(first.code, 7)
  assert.match(first.stdout, new RegExp(`still waiting\\. It belongs to ${blog.url}, and CONDUCT_URL is ${shop.url}`))
  assert.deepEqual([await shop.told(), await blog.told()], [['Sell: completed by key of shop'], []])
  await syncAll(blog.env)
  assert.deepEqual(await blog.told(), ['Write: completed by key of blog'])
})

/** Another user of that server, folder and machine, with a key of that name. */
async function otherKey(user: ServerUser, name: string) {
  const { secret } = await createClient({ url: user.url, key: adminKey }).createKey({
    name,
    permissions: ['agent'],
    project: 'shop',
  })
  return { ...user, env: { ...user.env, CONDUCT_API_KEY: secret } }
}

test('sessions with two keys for one server share one state, and each is sent with its own key', async (t) => {
  const ada = await serverOf(t, freshFolder(t), 'shop')
  gitIn(ada.cwd)('init', '-q')
  const ci = await otherKey(ada, 'ci')
  const claude = claudeIn(ada.cwd, ada.env)
  await claude.prompt('Sell')
  await claude.write('a.txt', 'a\n')
  await claude.stop()
  await session(ci, 'Test')
  const { code, stdout } = await conductHere(['sync'], ci.env)
  assert.deepEqual([code, await ada.told()], [7, ['Test: completed by ci']])
  assert.match(stdout, /still waiting\. Another key recorded it/)
  await syncAll(ada.env)
  assert.deepEqual(await ada.told(), ['Sell: in_progress by key of shop', 'Test: completed by ci'])
  const [run] = (await ada.client.listRuns()).runs
  assert.equal((await ada.client.getDiff({ runId: run?.runId ?? '' })).files.length, 1)
})

test('what a process without the key queues, in the middle of a sync with it, is sent by that', async (t) => {
  const ada = await serverOf(t, freshFolder(t), 'shop')
  gitIn(ada.cwd)('init', '-q')
  const claude = claudeIn(ada.cwd, ada.env)
  await claude.prompt('Sell')
  await claude.write('a.txt', 'a\n')
  await claude.stop()
  await claude.end()
  const change = { status: 'added', insertions: 1, deletions: 0, patch: '@@ -0,0 +1 @@\n+a\n' }
  const diffs = [{ path: 'a.txt', change }]
  using state = stateOf(ada.env)
  using other = stateOf(ada.env)
  let isFirst = true
  const owed = () => {
    const all = state.owed()
    if (!isFirst) return all
    isFirst = false
    for (const one of all) other.pay(one, (turn) => [newCall('addDiffs', { turn, diffs })])
    return []
  }
  assert.ok(await sync({ ...state, owed }, ada.env, { again: true, say: () => {} }))
  const [run] = (await ada.client.listRuns()).runs
  assert.equal((await ada.client.getDiff({ runId: run?.runId ?? '' })).files.length, 1)
})

test('what another key recorded is sent with this one if its person goes on with the session, or says so', async (t) => {
  const ada = await serverOf(t, freshFolder(t), 'shop')
  const next = await otherKey(ada, 'next')
  const claude = claudeIn(ada.cwd, ada.env)
  await claude.prompt('Sell')
  await claude.stop()
  await claudeIn(ada.cwd, { ...next.env, CONDUCT_API_KEY: undefined }, claude.session).prompt('Without a key')
  assert.equal((await conductHere(['sync'], next.env)).code, 7)
  await claudeIn(ada.cwd, next.env, claude.session).prompt('Sell more')
  await syncAll(next.env)
  assert.deepEqual(await ada.told(), ['Sell: in_progress by next'])
  await session(ada, 'Pack')
  assert.equal((await conductHere(['sync'], next.env)).code, 7)
  assert.equal((await conductHere(['sync', '--any-key'], next.env)).code, 0)
  assert.deepEqual(await ada.told(), ['Pack: completed by next', 'Sell: in_progress by next'])
})

test('a process that cannot reach a server takes no heartbeat for it, and keeps no other from sending', async (t) => {
  const home = freshFolder(t)
  const shop = await serverOf(t, home, 'shop')
  const claude = claudeIn(shop.cwd, shop.env)
  await claude.prompt('Sell')
  await syncAll(shop.env)
  letPass(shop.env, 5_000)
  await claude.tell('PreToolUse', { tool_name: 'Read', tool_input: { file_path: 'a' }, tool_use_id: '1' })
  using state = stateOf(shop.env)
  const name = `claude-${claude.session}`
  const claims: boolean[] = []
  const connect = async () => {
    claims.push(state.claim(name, 'another', 60_000))
    state.release(name, 'another')
    throw new Error('It is at another place.')
  }
  await sendBeats(state, { connect, leave: assert.fail, waits: false })
  assert.equal(state.beats().length, 1)
  await claude.stop()
  await settleNotes(state, shop.env, assert.fail)
  const { outcome, words } = await deliver(state, name, { connect })
  assert.deepEqual([outcome, words], ['waiting', 'It is at another place.'])
  assert.deepEqual(claims, [true, true])
})

test('a server that has become silent takes a few seconds from the sessions of others, and is asked once', async (t) => {
  const home = freshFolder(t)
  const shop = await serverOf(t, home, 'shop')
  const asked: string[] = []
  const silent = createServer(({ method, url }) => void asked.push(`${method} ${url}`)).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close().closeAllConnections())
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/conduct`
  const env = homeOf(home)
  const profiles = { gone: { url, key: shop.secret }, shop: { url: shop.url, key: shop.secret } }
  const begin = async (current: string) => {
    writeProfiles(env, { current, profiles })
    const claude = claudeIn(shop.cwd, env)
    await claude.prompt(`Work in ${current}`)
    await claude.stop()
    return `claude-${claude.session}`
  }
  using state = stateOf(env)
  for (const current of ['gone', 'gone', 'gone', 'shop']) {
    const name = await begin(current)
    if (current === 'gone') state.update(name, { trouble: 'No response.' })
  }
  assert.equal(await sync(state, env, { again: false, say: () => {} }), false)
  assert.deepEqual(await shop.told(), ['Work in shop: in_progress by key of shop'])
  assert.deepEqual(asked, ['GET /conduct/v1/auth/me'])
})

test('with profiles one sync sends to both servers', async (t) => {
  const home = freshFolder(t)
  const [shop, blog] = [await serverOf(t, home, 'shop'), await serverOf(t, home, 'blog')]
  const env = homeOf(home)
  const { run } = programOf(env, home)
  for (const [name, { url, secret, cwd }] of Object.entries({ shop, blog })) {
    await run(`profile add ${name} ${url} --key-stdin`, `${secret}\n`)
    await run(`profile use ${name}`)
    await session({ cwd, env }, `Work in ${name}`)
  }
  await syncAll(env)
  assert.deepEqual(await shop.told(), ['Work in shop: completed by key of shop'])
  assert.deepEqual(await blog.told(), ['Work in blog: completed by key of blog'])
})

test('a session in two state folders, as with a container, is one run', async (t) => {
  const home = freshFolder(t)
  const shop = await serverOf(t, home, 'shop')
  const claude = claudeIn(shop.cwd, shop.env, 'A')
  await claude.prompt('First words')
  await claude.stop('First answer.')
  await syncAll(shop.env)
  const elsewhere = { ...shop.env, XDG_STATE_HOME: join(home, 'other-state') }
  const again = claudeIn(shop.cwd, elsewhere, 'A')
  await again.prompt('Second words')
  await again.stop('Second answer.')
  await again.end()
  await conductHere(['sync'], elsewhere)
  assert.equal((await shop.client.listRuns()).runs.length, 1)
})

test('the run id in the environment does not name a run of another project or server', async (t) => {
  const home = freshFolder(t)
  const [shop, blog] = [await serverOf(t, home, 'shop'), await serverOf(t, home, 'blog')]
  const { run } = await blog.client.createRun({ title: 'Of somebody else', status: 'in_progress' })
  assert.equal(run.runId, 'RUN-001')
  const check = `"${process.execPath}" "${main}" check exec -- true`
  const { CONDUCT_URL, CONDUCT_API_KEY } = blog.env
  const script = `cd "${blog.cwd}" && CONDUCT_URL=${CONDUCT_URL} CONDUCT_API_KEY=${CONDUCT_API_KEY} ${check}`
  const elsewhere = await conductHere(['exec', '--', 'sh', '-c', script], shop.env, shop.cwd)
  assert.equal(elsewhere.code, 2, elsewhere.stderr)
  assert.match(elsewhere.stderr, /Name the run to check/)
  assert.deepEqual((await blog.client.listChecks()).checks, [])
  const here = await conductHere(['exec', '--', 'sh', '-c', check], shop.env, shop.cwd)
  assert.equal(here.code, 0, here.stderr)
  assert.deepEqual(
    (await shop.client.listChecks()).checks.map(({ runId }) => runId),
    ['RUN-002'],
  )
})
