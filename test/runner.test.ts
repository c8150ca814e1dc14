import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { madeOnce } from './support/built.ts'
import { allProofs, isProof, nameOf, proofs, shareOf } from './support/proofs.ts'
import { filesOf, groups, quickStarts, startsOf } from './support/together.ts'

/** Runs test files with these contents. The arguments `how` select between `npm test` and `npm run proof`. */
function runFiles(t: TestContext, how: string[], files: Record<string, string>, more: NodeJS.ProcessEnv = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'conduct-runner-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const paths = Object.entries(files).map(([name, text]) => {
    const path = join(folder, `${name}.test.mjs`)
    writeFileSync(path, `import { test } from 'node:test'\n${text}\n`)
    return path
  })
  const run = fileURLToPath(new URL('support/run.ts', import.meta.url))
  // Inside a test, Node.js sets this variable, and an inner test then reports to the outer one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  return spawnSync(process.execPath, [run, ...how, ...paths], { env: { ...env, ...more }, encoding: 'utf8' })
}

const failing = `test('fails', () => { throw new Error('as it should') })`

test('a failing test fails the run of npm test', (t) => {
  const { status, stdout } = runFiles(t, ['--tests'], { failing })
  assert.match(stdout, /fail 1/)
  assert.equal(status, 1)
})

test('an uncaught error fails the run, and is shown', (t) => {
  const late = `test('passes', async () => {
    setTimeout(() => { throw new Error('thrown by a timer') })
    await new Promise((resolve) => setTimeout(resolve, 50))
  })`
  const { status, stdout } = runFiles(t, ['--tests'], { late })
  assert.match(stdout, /thrown by a timer/)
  assert.equal(status, 1)
})

test('the files of a group start as one if all of them run, and separately otherwise', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'conduct-runner-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const group of Object.keys(groups)) {
    const members = filesOf(group)
    const [start = '', ...others] = startsOf([...members, 'test/alone.test.ts'], folder)
    assert.deepEqual(others, ['test/alone.test.ts'])
    const imported = readFileSync(start, 'utf8').match(/test\/.*\.test\.ts/g)
    assert.deepEqual(imported, members)
    assert.deepEqual(startsOf(members.slice(1), folder), members.slice(1))
  }
  const all = Object.keys(groups).flatMap(filesOf)
  assert.equal(new Set(all).size, all.length, 'a file is in one group at most')
})

test('npm run check runs the tests of rules and nouns, and no proof', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'conduct-runner-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const run = quickStarts(folder).flatMap((start) => readFileSync(start, 'utf8').match(/test\/.*\.test\.ts/g) ?? [])
  for (const path of [
    'test/domain/run.test.ts',
    'test/agents/claude.test.ts',
    'test/mask/mask.test.ts',
    'test/run.test.ts',
  ]) {
    assert.ok(run.includes(path), path)
  }
  const proved = allProofs()
  assert.deepEqual(
    run.filter((path) => proved.includes(path)),
    [],
  )
})

test('a run has the engines that CONDUCT_TEST_ENGINES names, and an unknown one is an error', (t) => {
  const { href } = new URL('support/engines.ts', import.meta.url)
  const files = { engines: `import { engines } from '${href}'\ntest(engines.map(({ name }) => name).join(), () => {})` }
  assert.match(runFiles(t, ['--tests'], files, { CONDUCT_TEST_ENGINES: 'sqlite' }).stdout, /✔ sqlite \(/)
  const { status, stdout } = runFiles(t, ['--tests'], files, { CONDUCT_TEST_ENGINES: 'mysql' })
  assert.notEqual(status, 0)
  assert.match(stdout, /names 'mysql', and the engines are sqlite and postgres/)
})

test('proofs continue after one that fails, and end with a table of all', (t) => {
  const { status, stdout } = runFiles(t, ['--proof', '--share', '0.1'], {
    failing,
    breaking: 'process.exit(7)',
    passing: `test('passes', (t) => t.diagnostic(\`a share of \${process.env.CONDUCT_PROOF}\`))`,
  })
  const table = stdout.slice(stdout.indexOf('proof  ')).replaceAll(/ +/g, ' ')
  assert.match(table, /failing\.test\.mjs \d+\.\d failed 0 of 1 tests passed\n failed: fails\n/)
  assert.match(table, /breaking\.test\.mjs \S+ failed/)
  assert.match(table, /passing\.test\.mjs \d+\.\d ok 1 of 1 tests passed\n a share of 0\.1\n/)
  assert.equal(status, 1)
})

test('the error for an unknown proof lists the existing ones', () => {
  assert.throws(() => proofs(['kil']), /no proof 'kil'.* kill, /)
  assert.deepEqual(proofs(['kill']), ['test/proof/kill.test.ts'])
  assert.deepEqual(['deploy', 'docs'].map(isProof), [true, false], 'a folder may have the name of a proof')
  assert.throws(() => shareOf('2'), /'2', and must be a number above 0/)
})

test('one process makes what several need at once, and another does after one that was killed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'conduct-made-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const name = `made-${process.pid}`
  const script = `
    import { appendFileSync, writeFileSync } from 'node:fs'
    import { setTimeout } from 'node:timers/promises'
    import { madeOnce } from '${new URL('support/built.ts', import.meta.url)}'
    process.stdout.write(await madeOnce('${name}', async (draft) => {
      appendFileSync('${folder}/makers', 'one ')
      await setTimeout(300)
      writeFileSync(draft + '/it', '')
    }))`
  const ask = async () => (await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])).stdout
  const [made = '', ...others] = await Promise.all([ask(), ask(), ask()])
  t.after(() => rmSync(made, { recursive: true, force: true }))
  assert.deepEqual(others, [made, made])
  assert.deepEqual([readFileSync(`${folder}/makers`, 'utf8'), readFileSync(`${made}/it`, 'utf8')], ['one ', ''])

  rmSync(made, { recursive: true })
  writeFileSync(`${made}.maker`, String(2 ** 22 + 1))
  await madeOnce(name, async (draft) => writeFileSync(`${draft}/it`, 'again'))
  assert.equal(readFileSync(`${made}/it`, 'utf8'), 'again')
})

test('docs/proofs.md names every proof', () => {
  const text = readFileSync(new URL('../docs/proofs.md', import.meta.url), 'utf8')
  const named = [...text.matchAll(/^\| `([\w/-]+)` \|/gm)].map(([, name]) => name)
  assert.deepEqual(named.toSorted(), allProofs().map(nameOf).toSorted())
})
