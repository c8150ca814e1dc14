import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import sql from 'sql-template-tag'
import { createClient } from '../../src/client/client.ts'
import { openStore } from '../../src/operations/open.ts'
import { folders } from '../../src/place/folders.ts'
import { serve } from '../../src/server/serve.ts'
import { checkMemory, forget } from '../../src/verify/remember.ts'
import { keepCopy, sabotages, unlocated } from '../proof/sabotage.ts'
import { base, type Engine, engines, openLedger, testLedger } from '../support/engines.ts'
import { adminKey } from '../support/server.ts'
import { freePort } from '../support/setup.ts'
import { freshFolder, homeOf } from './folder.ts'
import { conductHere } from './program.ts'
import { remoteUser, serverUser } from './user.ts'

/** A server whose clock the test moves. */
async function serverOn(t: TestContext, engine: Engine) {
  const ledger = await engine.ledger(t)
  let ahead = 0
  const store = await openStore(ledger.url, { adminKey, now: () => Date.now() + ahead })
  const { url, stop } = await serve({ host: '127.0.0.1', port: 0, store })
  t.after(stop)
  const client = createClient({ url, key: adminKey })
  const advance = (ms: number) => {
    ahead += ms
  }
  return { store, url, stop, client, advance }
}

for (const engine of engines) {
  test(`verify names the event that somebody changed (${engine.name})`, async (t) => {
    const { store, url, client, advance } = await serverOn(t, engine)
    const { env } = remoteUser(t, url)
    const conduct = (...words: string[]) => conductHere(words, env)
    for (let n = 0; n < 5; n++) await client.createRun({ title: `run ${n}` })

    const anchors = join(freshFolder(t), 'anchors')
    writeFileSync(anchors, (await conduct('log', 'checkpoint')).stdout)
    advance(61_000)
    await client.createRun({ title: 'not anchored' })
    const { events } = await client.listEvents({})
    const fine = await conduct('verify', '--anchor', anchors)
    assert.equal(fine.code, 0, fine.stderr)
    assert.match(fine.stdout, new RegExp(`^events: +${events.length}, of which ${events.length} are sealed$`, 'm'))
    assert.match(fine.stdout, new RegExp(`^not covered: +events ${events.length} to ${events.length}:`, 'm'))
    assert.match(fine.stdout, /^not covered: +the rows of runs, /m)
    assert.match(fine.stdout, /^Everything covered fits\.$/m)
    assert.match((await conduct('verify')).stdout, /^anchors: +none$/m)

    const { secret } = await client.createKey({ name: 'reader', permissions: ['read'] })
    const asReader = await conductHere(['verify', '--anchor', anchors], { ...env, CONDUCT_API_KEY: secret })
    assert.match(asReader.stdout, /^checked: +the proofs of the server/m)
    assert.match(asReader.stdout, /^not covered: +everything but that the log continues its checkpoints/m)
    assert.equal(asReader.code, 0, asReader.stderr)
    assert.equal((await conductHere(['verify', '--complete'], { ...env, CONDUCT_API_KEY: secret })).code, 2)
    assert.equal((await conduct('verify', '--complete')).code, 0)

    await store.db.tx((tx) => tx.query(sql`update events set subject = 'RUN-9' where seq = 4`))
    const found = await conduct('verify', '--anchor', anchors, '--json')
    assert.equal(found.code, 1)
    assert.deepEqual(JSON.parse(found.stdout).faults, [
      { seq: 4, until: 4, words: 'Event 4 was changed after it was sealed.' },
    ])
    const gone = [sql`delete from seal_checkpoints`, sql`delete from seal_tiles`, sql`delete from events where seq = 3`]
    for (const one of gone) await store.db.tx((tx) => tx.query(one))
    await store.db.tx((tx) => tx.query(sql`update followers set last_seq = 0 where name = 'seal'`))
    const gap = await conduct('verify', '--json')
    assert.equal(gap.code, 1)
    const [missing, unsigned, ...more] = JSON.parse(gap.stdout).faults
    assert.deepEqual([missing, more], [{ seq: 3, until: 3, words: 'Event 3 is missing.' }, []])
    assert.match(unsigned.words, /^The server cannot show a checkpoint of its log\. Event 3 is missing from the log/)
    const nothing = join(freshFolder(t), 'nothing')
    writeFileSync(nothing, 'nothing')
    assert.equal((await conduct('verify', '--anchor', nothing)).code, 2)
  })
}

for (const engine of engines) {
  test(`verify reports on a log that this machine cannot remember (${engine.name})`, async (t) => {
    const { url, client } = await serverOn(t, engine)
    const { env } = remoteUser(t, url)
    await client.createRun({ title: 'run' })
    const state = folders.state(env)
    mkdirSync(state, { recursive: true, mode: 0o700 })
    symlinkSync(join(state, 'missing', 'folder'), join(state, 'checkpoints'))
    const { code, stdout, stderr } = await conductHere(['verify'], env)
    assert.match(stdout, /^Everything covered fits\.$/m)
    assert.match(stderr, /^The checkpoint of the log was not remembered: .+\.$/m)
    assert.equal(code, 0)
  })
}

for (const engine of engines) {
  test(`verify says that nobody can tell a feigned retention (${engine.name})`, async (t) => {
    const { store, url, client, advance } = await serverOn(t, engine)
    const { env } = remoteUser(t, url)
    for (let n = 0; n < 9; n++) await client.createRun({ title: `run ${n}` })
    const anchor = join(freshFolder(t), 'anchor')
    advance(61_000)
    writeFileSync(anchor, (await client.getCheckpoint()).note)
    const said = await unlocated.feign?.(store.db, { first: 1, seq: 8, later: 9, way: 0 })
    advance(61_000)
    const { code, stdout } = await conductHere(['verify', '--anchor', anchor, '--json'], env)
    const { faults, notCovered, dropped } = JSON.parse(stdout)
    assert.deepEqual([code, faults, dropped], [0, [], 8])
    assert.ok(
      notCovered.some((one: string) => said?.test(one)),
      stdout,
    )
    assert.ok(
      notCovered.some((one: string) => /^the names of keys? 1\b.*the log does not tell them/.test(one)),
      stdout,
    )
    const complete = await conductHere(['verify', '--anchor', anchor, '--complete'], env)
    assert.equal(complete.code, 1)
    assert.match(complete.stderr, /^DOES NOT FIT: Events 1 to 8 are missing\.$/m)
  })
}

test('verify and export create no ledger, and export and import take no password among the arguments', async (t) => {
  const folder = freshFolder(t)
  const env = { ...homeOf(folder), CONDUCT_DATABASE_URL: `sqlite:${join(folder, 'typo.db')}` }
  for (const words of [['verify'], ['export', join(folder, 'out.ndjson')]]) {
    const { code, stderr } = await conductHere(words, env, folder)
    assert.equal(code, 4, stderr)
    assert.match(stderr, /There is no ledger at .*typo\.db/)
  }
  assert.ok(!existsSync(join(folder, 'typo.db')))
  const secret = ['--database-url', 'postgres://conduct:secret@localhost/conduct']
  for (const words of [
    ['export', join(folder, 'out.ndjson')],
    ['import', join(folder, 'in.ndjson')],
  ]) {
    writeFileSync(join(folder, 'in.ndjson'), '')
    assert.match((await conductHere([...words, ...secret], env, folder)).stderr, /--database-url contains a password/)
  }
})

test('an anchor that cannot be read is named, and does not count as a fault of the log', async (t) => {
  const { env } = await serverUser(t)
  const refusing = createServer((_, response) => response.writeHead(404).end('nothing')).listen(0, '127.0.0.1')
  await once(refusing, 'listening')
  t.after(() => refusing.close())
  const missing = `http://127.0.0.1:${(refusing.address() as AddressInfo).port}/anchors`
  const silent = `http://127.0.0.1:${await freePort()}/anchors`
  const wanted: [anchor: string, code: number, cause: string][] = [
    [join(env.HOME, 'gone'), 2, 'ENOENT'],
    [env.HOME, 2, 'EISDIR'],
    ['https://', 2, 'not an address'],
    [missing, 7, 'status 404'],
    [silent, 7, 'ECONNREFUSED'],
  ]
  for (const [anchor, code, cause] of wanted) {
    const ended = await conductHere(['verify', '--anchor', anchor], env)
    assert.equal(ended.code, code, ended.stderr)
    assert.ok(ended.stderr.includes(anchor) && ended.stderr.includes(cause), ended.stderr)
    assert.doesNotMatch(ended.stderr, /conduct doctor/)
  }
})

for (const engine of engines) {
  test(`sync with the key of an agent notices a log that was recomputed or restored (${engine.name})`, async (t) => {
    const { store, url, client, advance } = await serverOn(t, engine)
    const { secret } = await client.createKey({ name: 'ci', permissions: ['agent'], project: 'default' })
    const env = { ...remoteUser(t, url).env, CONDUCT_API_KEY: secret }
    const sync = () => conductHere(['sync'], env)
    const live = async () => {
      for (let n = 0; n < 5; n++) await client.createRun({ title: `run ${n}` })
      advance(61_000)
      const { size } = await client.getCheckpoint()
      return size
    }

    await live()
    const restore = await keepCopy(store.db)
    const size = await live()
    assert.equal((await sync()).code, 0)
    await sabotages.recompute?.(store.db, { first: 1, seq: 3, later: 4, way: 1 })
    const changed = await sync()
    assert.equal(changed.code, 1)
    assert.match(
      changed.stderr,
      new RegExp(`has other events among its first ${size}, which contradicts what this machine saw`),
    )

    const kept = (await restore()) - 1
    const restored = await sync()
    assert.equal(restored.code, 1)
    assert.match(
      restored.stderr,
      new RegExp(`had ${size} events, and has ${kept}, which contradicts what this machine saw`),
    )
    assert.equal((await conductHere(['verify', '--forget'], env)).code, 0)
    await live()
    assert.equal((await sync()).code, 0)
  })
}

test("sync and verify report that the server's log was replaced, until the user forgets the old one", async (t) => {
  const folder = freshFolder(t)
  const port = await freePort()
  const serveFile = async (name: string) => {
    const store = await openStore(`sqlite:${join(folder, name)}`, { adminKey })
    const running = await serve({ host: '127.0.0.1', port, store })
    return running
  }
  const first = await serveFile('one.db')
  const { env } = remoteUser(t, first.url)
  const conduct = (...words: string[]) => conductHere(words, env)
  assert.equal((await conduct('sync')).code, 0)
  assert.equal((await conduct('sync')).code, 0)
  await first.stop()
  assert.equal((await conduct('sync')).code, 0, 'a server that does not answer is not suspected')

  const second = await serveFile('two.db')
  t.after(() => second.stop())
  const synced = await conduct('sync')
  assert.equal(synced.code, 1)
  assert.match(
    synced.stderr,
    /The log of http\S+ is conduct\/\S+ but was conduct\/\S+, which contradicts what this machine saw/,
  )
  const verified = await conduct('verify')
  assert.equal(verified.code, 1)
  assert.match(verified.stderr, /^DOES NOT FIT: The log of /)
  assert.equal((await conduct('verify', '--forget')).code, 0)
  assert.equal((await conduct('sync')).code, 0)
})

for (const engine of engines) {
  test(`exec and check exec warn after the server rewrote its log, and keep the exit code (${engine.name})`, async (t) => {
    const { store, url, client, advance, stop } = await serverOn(t, engine)
    const { secret } = await client.createKey({ name: 'ci', permissions: ['agent'], project: 'default' })
    const { run } = await client.createRun({ title: 'run' })
    const { env } = remoteUser(t, url)
    const inCi = (...words: string[]) => conductHere(words, { ...env, CONDUCT_API_KEY: secret })
    const exec = () => inCi('exec', '--', 'sh', '-c', 'exit 3')
    const check = () => inCi('check', 'exec', run.runId, '--', 'true')

    for (const one of [exec, check, exec]) {
      advance(61_000)
      assert.doesNotMatch((await one()).stderr, /log/)
    }
    advance(61_000)
    await client.getCheckpoint()
    assert.equal((await check()).code, 0)
    await sabotages.recompute?.(store.db, { first: 1, seq: 3, later: 4, way: 1 })
    for (const [one, code] of [
      [exec, 3],
      [check, 0],
    ] as const) {
      const warned = await one()
      assert.equal(warned.code, code, warned.stderr)
      assert.match(warned.stderr, /The log of http\S+ has other events among its first \d+, which contradicts/)
    }
    assert.equal((await inCi('sync')).code, 1)
    await stop()
    const away = await exec()
    assert.deepEqual([away.code, /The log of/.test(away.stderr)], [3, false], away.stderr)
  })
}

testLedger('one request checks a log against what this machine remembers', async ({ client, as, app, advance }, t) => {
  const env = homeOf(freshFolder(t))
  const asked: string[] = []
  const told = as({
    fetch: (request) => {
      asked.push(request.url.slice(base.length))
      return app.fetch(request)
    },
  })
  assert.equal(await checkMemory(told, base, env), undefined)
  await client.createRun({ title: 'one' })
  advance(61_000)
  const { size } = await client.getCheckpoint()
  assert.equal(await checkMemory(told, base, env), undefined)
  assert.equal(await checkMemory(told, base, env), undefined)
  assert.equal(await checkMemory(told, base, env, true), undefined, 'seldom')
  assert.deepEqual(
    asked,
    ['', `?from=${size - 1}`, `?from=${size}`].map((query) => `/v1/log/checkpoint${query}`),
  )
})

test('checkMemory reports an unreadable memory and a server that no longer seals', async (t) => {
  const env = homeOf(freshFolder(t))
  const { client, as } = await openLedger(t, engines[0] as Engine)
  const tooOld = as({ fetch: () => Response.json({ code: 'NOT_FOUND', error: 'No such address.' }, { status: 404 }) })
  assert.equal(await checkMemory(tooOld, base, env), undefined, 'it never had a seal')
  assert.equal(await checkMemory(client, base, env), undefined)
  assert.match((await checkMemory(tooOld, base, env)) ?? '', /is no longer sealed, which contradicts/)

  const folder = join(folders.state(env), 'checkpoints')
  const file = join(folder, readdirSync(folder)[0] ?? '')
  const kept = readFileSync(file, 'utf8')
  for (const text of ['', 'null', '{', '{}', '[]', '{"note":7}', kept.slice(0, -20)]) {
    writeFileSync(file, text)
    for (const seldom of [false, true]) {
      assert.match(
        (await checkMemory(client, base, env, seldom)) ?? '',
        /cannot be read in .*json, so nothing shows/,
        text,
      )
    }
  }
  forget(base, env)
  assert.equal(await checkMemory(client, base, env), undefined)
})
