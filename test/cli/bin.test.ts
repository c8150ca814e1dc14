import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { root } from '../support/built.ts'
import { freshFolder, homeOf } from './folder.ts'

/** A clone of which nothing is built, with that text for its program. */
function clone(t: TestContext, program?: string): string {
  const folder = freshFolder(t)
  for (const path of ['bin', 'package.json']) cpSync(join(root, path), join(folder, path), { recursive: true })
  if (program !== undefined) {
    mkdirSync(join(folder, 'dist/cli'), { recursive: true })
    writeFileSync(join(folder, 'dist/cli/main.js'), program)
  }
  return folder
}

test('a program that is not built says so, and how to build it', (t) => {
  const folder = clone(t)
  const run = () => spawnSync(process.execPath, [join(folder, 'bin/conduct.cjs'), 'status'], { encoding: 'utf8' })
  const { status, stdout, stderr } = run()
  assert.deepEqual([status, stdout], [1, ''])
  assert.match(stderr, /^conduct is not built\. In \S+ run: npm install && npm run build\n.*npm start\n$/)
  mkdirSync(join(folder, 'node_modules'))
  assert.match(run().stderr, /run: npm run build\n/)
})

test('an old Node.js is told, in a checkout, how to get the right one', (t) => {
  const folder = clone(t)
  mkdirSync(join(folder, 'src'))
  const pretend = "Object.defineProperty(process.versions, 'node', { value: '20.0.0' })"
  const script = `${pretend}; require(${JSON.stringify(join(folder, 'bin/conduct.cjs'))})`
  const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, /^conduct needs Node\.js 24\.15 .*\nnpm run conduct, in this checkout, /)
})

test('the program can be executed where it is cloned', () => {
  const listed = execFileSync('git', ['ls-files', '--stage', 'bin/conduct.cjs'], { cwd: root, encoding: 'utf8' })
  assert.match(listed, /^100755 /)
})

const told = 'console.log(JSON.stringify([process.execArgv, process.env.MALLOC_ARENA_MAX, process.argv.slice(2)]))'

test('serve runs with little memory; what its user has set stays', { skip: process.platform === 'win32' }, (t) => {
  const bin = join(clone(t, told), 'bin/conduct.cjs')
  const env = homeOf(freshFolder(t))
  const run = (more: object, ...args: string[]) =>
    JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env: { ...env, ...more } }))
  assert.deepEqual(run({}, bin, 'serve', '--port', '0'), [['--max-semi-space-size=4'], '2', ['serve', '--port', '0']])
  assert.deepEqual(run({}, bin, 'status'), [[], null, ['status']])
  assert.deepEqual(run({ MALLOC_ARENA_MAX: '7' }, '--max-semi-space-size=32', bin, 'serve'), [
    ['--max-semi-space-size=32'],
    '7',
    ['serve'],
  ])
  const dropped = join(env.HOME, 'dropped.cjs')
  writeFileSync(dropped, "Object.defineProperty(process, 'allowedNodeEnvironmentFlags', { value: new Set() })\n")
  assert.deepEqual(run({ NODE_OPTIONS: `--require ${dropped}` }, bin, 'serve'), [[], '2', ['serve']])
})

test('npm start serves from source, in the same way', { skip: process.platform === 'win32' }, async (t) => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const [, script = ''] = /^node (\S+)$/.exec(scripts.start) ?? []
  const env = { ...homeOf(freshFolder(t)), CONDUCT_DATABASE_URL: 'sqlite::memory:' }
  const child = spawn(process.execPath, [script, '--port', '0'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const [text] = await once(child.stdout.setEncoding('utf8'), 'data')
  assert.match(text, /^Conduct listens on .*[\s\S]*npm run conduct -- open/)
  if (process.platform !== 'linux') return
  const line = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').split('\0')
  assert.ok(line.includes('--max-semi-space-size=4'), line.join(' '))
})
