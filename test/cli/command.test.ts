import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { commands } from '../../src/cli/commands/commands.ts'
import { plansOf } from '../../src/cli/operation/plan.ts'
import { createClient } from '../../src/client/client.ts'
import { names } from '../../src/contract/paths.ts'
import { adminKey } from '../support/server.ts'
import { programOf } from './program.ts'
import { serverUser, testPlaces } from './user.ts'

test('every operation but those of browsers, verify, erase, forget and diffs has one command with words of its own', () => {
  const plans = Object.keys(commands).flatMap(plansOf)
  const without = ['createLoginCode', 'createSession', 'deleteSession', 'erase', 'forget', 'getDiff', 'listLeaves']
  assert.deepEqual([...plans.map(({ name }) => name), ...without].sort(), [...names].sort())
  const words = plans.map(({ words }) => words.join(' '))
  assert.equal(new Set(words).size, words.length)
  for (const one of ['run create', 'run link', 'spec versions', 'key revoke', 'whoami', 'events'])
    assert.ok(words.includes(one))
})

test('the help of no flag names a value that only JSON can have', () => {
  const flags = Object.keys(commands)
    .flatMap(plansOf)
    .flatMap(({ flags }) => flags)
  for (const { name, option } of flags) assert.doesNotMatch(option.description, /\bnull\b/, name)
})

test('a time is also a span: before now or, for what is to come, from now on', () => {
  const parsed = (word: string, command: string, flag: string, text: string) => {
    const plan = plansOf(word).find(({ words }) => words.join(' ') === command)
    const found = plan?.flags.find(({ name }) => name === flag)
    return String(found?.option.parseArg?.(text, undefined as never))
  }
  const days = (moment: string) => Math.round((Date.parse(moment) - Date.now()) / 86_400_000)
  assert.equal(days(parsed('run', 'run list', '--created-after', '7d')), -7)
  assert.equal(days(parsed('run', 'run list', '--ended-after', '2w')), -14)
  assert.equal(days(parsed('key', 'key create', '--expires-at', '90d')), 90)
  assert.equal(parsed('run', 'run list', '--created-after', '2026-01-31T00:00:00Z'), '2026-01-31T00:00:00Z')
  const midnight = new Date('2026-01-31T00:00')
  assert.equal(parsed('run', 'run list', '--created-before', '2026-01-31'), midnight.toISOString())
  const before = new Date(midnight.getTime() - 1).toISOString()
  for (const flag of ['--created-after', '--ended-after', '--updated-after'])
    assert.equal(parsed('run', 'run list', flag, '2026-01-31'), before, 'a list from a day on has its midnight')
  assert.equal(parsed('key', 'key create', '--expires-at', '2026-01-31'), midnight.toISOString())
  for (const wrong of ['yesterday', '2026-02-30', '2026-13-01', '7x'])
    assert.throws(() => parsed('run', 'run list', '--created-after', wrong), /like 2026-01-31, .* or 7d/, wrong)
})

testPlaces('commands create, change, show and delete a run', async ({ env, cwd }) => {
  writeFileSync(join(cwd, 'run.md'), '# Run Log\n\nImplemented features.\n')
  const { run, json, all } = programOf(env, cwd)
  const made = await json(
    'run create run.md --spec-id AUTH-001 --label team=web --label tier:1 --link pr=https://x.example/1 --git-commit abc --git-dirty true --usage-cost-usd 0.5 --status in_progress',
  )
  assert.equal(made.run.runId, 'RUN-001')
  assert.deepEqual(made.run.labels, { team: 'web', tier: '1' })
  assert.deepEqual(made.run.links, [{ rel: 'pr', href: 'https://x.example/1' }])
  assert.deepEqual(made.run.git, { commit: 'abc', dirty: true })
  assert.equal(made.run.usage.costUsd, 0.5)
  assert.deepEqual((await json('run link RUN-001 42 user-auth')).count, 2)
  assert.equal(await run('run append RUN-001 - --quiet', 'more\n'), 'RUN-001\n')
  assert.equal(await run('run content RUN-001'), '# Run Log\n\nImplemented features.\nmore\n')
  const long = 'A line of a long log.\n'.repeat(20_000)
  await run('run append RUN-001 -', long)
  const whole = `# Run Log\n\nImplemented features.\nmore\n${long}`
  assert.equal(await run('run content RUN-001'), whole)
  assert.equal(await run(`run content RUN-001 --after 300000`), whole.slice(300_000))
  assert.equal(
    (await json("check create --run-id RUN-001 --result pass --name tests --command 'npm test' --exit-code 0")).check
      .exitCode,
    0,
  )
  const changed = await json(
    'run update RUN-001 --status failed --failure-code E1 --failure-message broken --clear git',
  )
  assert.deepEqual([changed.run.git, changed.run.failure], [null, { code: 'E1', message: 'broken' }])
  const shown = await run('run get RUN-001')
  for (const line of [
    /^status: +failed$/m,
    /^labels: +team=web, tier=1$/m,
    /^failure: +code E1, message broken$/m,
    /^features: .*user-auth/m,
  ]) {
    assert.match(shown, line)
  }
  assert.match(shown, /\n\n# Run Log\n/)
  assert.match(await run('run timeline RUN-001'), /check +CHECK-001 tests: pass/)
  assert.match(await run('search implemented'), /^run +RUN-001 /m)
  assert.match(await run('run list --status failed --label team=web'), /^RUN-001 +failed +/m)
  assert.equal(await run('run list --status pending'), '')
  assert.match(await run('run delete RUN-001'), /deleted/)
  assert.equal((await all('run get RUN-001')).code, 4)
})

testPlaces('JSON output is the response of the API, and --all prints one line per item', async ({ env }) => {
  const { json, run } = programOf(env)
  for (const at of [1, 2, 3]) await run(`spec create - --spec-id S-${at}`, `# Number ${at}`)
  const page = await json('spec list --limit 2 --order asc')
  assert.deepEqual(
    page.specs.map(({ specId }: { specId: string }) => specId),
    ['S-1', 'S-2'],
  )
  assert.ok(page.meta.hasMore)
  const lines = (await run('spec list --limit 2 --all --json')).trim().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).specId),
    ['S-3', 'S-2', 'S-1'],
  )
  assert.equal(await run('spec list --limit 1 --all --quiet --order asc'), 'S-1\nS-2\nS-3\n')
  const table = await run('spec list --limit 1 --all')
  assert.equal(table.match(/SPEC/g)?.length, 1, 'one head for all pages')
  assert.equal((await run('events --limit 1 --type spec.created --all --quiet')).trim().split('\n').length, 3)
  if (!env.CONDUCT_URL) return
  const client = createClient({ url: env.CONDUCT_URL, key: adminKey })
  assert.deepEqual(await json('spec get S-1'), await client.getSpec({ specId: 'S-1' }))
})

testPlaces('a list shows the projects that are named, or all', async ({ env }) => {
  const { run, json } = programOf(env)
  for (const slug of ['one', 'two', 'three']) {
    if (env.CONDUCT_URL) await run(`project create --slug ${slug}`)
    await run(`run create --run-id in-${slug} --project ${slug}`)
  }
  const found = async (flags: string) =>
    (await json(`run list --order asc ${flags}`)).runs.map(({ runId }: { runId: string }) => runId)
  assert.deepEqual(await found('--project one --project three'), ['in-one', 'in-three'])
  assert.deepEqual(await found('--all-projects'), ['in-one', 'in-two', 'in-three'])
  assert.match(await run('run list --all-projects'), /^PROJECT /)
})

testPlaces('a command accepts the number or the name of a feature', async ({ env }) => {
  const { run, json, all } = programOf(env)
  await run('run create --run-id R-1')
  await run('run link R-1 42 user-auth auth')
  const ids = (await json('feature runs user-auth')).runs.map(({ runId }: { runId: string }) => runId)
  assert.deepEqual(ids, ['R-1'])
  assert.equal((await json('run list --feature-id auth')).runs.length, 1)
  assert.equal((await json('feature get 42')).feature.name, 'feature-42')
  assert.equal((await json('feature update auth --name login')).feature.name, 'login')
  assert.equal((await json('feature update login --description x --if-version 2')).feature.description, 'x')
  await run('run unlink R-1 user-auth')
  assert.equal((await json('feature runs user-auth')).runs.length, 0)
  await run('feature delete user-auth')
  for (const words of ['feature get user-auth', 'run list --feature-id user-auth']) {
    const { code, stderr } = await all(words)
    assert.equal(code, 4)
    assert.match(stderr, /no feature 'user-auth'\. To look for one: conduct feature list/)
  }
  const dry = await all('feature delete login --dry-run')
  assert.equal(dry.code, 2)
  assert.match(dry.stderr, /cannot look up the feature: pass its number/)
  assert.equal((await json('feature delete 42 --dry-run')).method, 'DELETE')
})

testPlaces('a name that belongs to different features of several projects is refused', async ({ env }) => {
  const { run, json, all } = programOf(env)
  for (const slug of ['one', 'two']) if (env.CONDUCT_URL) await run(`project create --slug ${slug}`)
  for (const slug of ['one', 'two']) await run(`run create --run-id R-1 --project ${slug}`)
  await run('run link R-1 42 login --project one')
  await run('run link R-1 login --project two')
  assert.equal((await json('run list --feature-id login --project one')).runs.length, 1)
  const { code, stderr } = await all('run list --feature-id login --project one --project two')
  assert.equal(code, 2)
  assert.match(stderr, /'login' is feature \d+ or \d+, .*: give a number, or one --project/)
})

testPlaces('--project narrows a list of keys or webhooks, and the project of the folder does not', async (user) => {
  const { run, json } = programOf({ ...user.env, CONDUCT_PROJECT: 'shop' }, user.cwd)
  await run('project create --slug shop')
  await run('webhook create --url https://shop.example/ --project shop')
  await run('webhook create --url https://all.example/ --all-projects')
  const listed = async (flags: string) =>
    (await json(`webhook list ${flags}`)).webhooks.map(({ project }: { project: string | null }) => project)
  assert.deepEqual(await listed('--project shop'), ['shop'])
  assert.deepEqual(await listed('--project default'), [])
  assert.deepEqual(await listed(''), [null, 'shop'])
})

test('the same idempotency key creates one run, and a dry run none', async (t) => {
  const { env } = await serverUser(t)
  const { run, json } = programOf(env)
  const create = 'run create --title x --idempotency-key k-1 --quiet'
  assert.equal(await run(create), await run(create))
  const dry = await json('run create --title y --status failed --dry-run')
  assert.deepEqual(
    [dry.method, dry.url, dry.body],
    ['POST', `${env.CONDUCT_URL}/v1/runs`, { title: 'y', status: 'failed' }],
  )
  const shown = await run('run create --title y --dry-run')
  assert.match(shown, /^POST .*\n(.*\n)*authorization: Bearer sk_admin_0123…$/m)
  assert.equal((await json('run list')).runs.length, 1)
})

testPlaces('a webhook test that is not delivered fails, and prints the delivery', async ({ env, cwd }) => {
  const { json, all } = programOf(env, cwd)
  const { id } = (await json('webhook create --url http://hooks.invalid/')).webhook
  const { code, stdout, stderr } = await all(`webhook test ${id}`)
  assert.equal(code, 1, stdout)
  assert.match(stdout, /^error: /m)
  assert.match(stderr, /^conduct: The test was not delivered: its host name/)
  const asJson = await all(`webhook test ${id} --json`)
  assert.equal(asJson.code, 1)
  assert.match(JSON.parse(asJson.stdout).delivery.error, /host name/)
})
