import assert from 'node:assert/strict'
import { execFileSync, execSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import type { Finding } from '../../src/cli/commands/doctor-folder.ts'
import { hookLine } from '../../src/cli/init/project-files.ts'
import { type HookFile, installs } from '../../src/recorder/agents/install.ts'
import { called } from '../../src/terminal/text.ts'
import { root } from '../support/built.ts'
import { oldNode } from '../support/old-node.ts'
import { freshFolder, homeOf } from './folder.ts'

/** A clone without a build, or with that text as its built program. */
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

test('in a checkout, the error on an old Node.js says how to get the right one', (t) => {
  const folder = clone(t)
  mkdirSync(join(folder, 'src'))
  const { status, stderr } = onOldNode(join(folder, 'bin/conduct.cjs'), [], { CONDUCT_RESTARTED: '1' })
  assert.equal(status, 1)
  assert.match(stderr, /^conduct needs Node\.js 24\.15 .*\nIn this checkout, npm run conduct uses /)
})

test('in a checkout, the command that messages and docs name prints only its own output', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const head = execSync('git rev-parse HEAD', { cwd: root, encoding: 'utf8' })
  const [own, commit = ''] = execSync(`${called} --version`, { cwd: root, encoding: 'utf8' }).split('+')
  assert.equal(own?.trim(), version)
  // A release is named by its version alone.
  if (version.includes('-')) assert.ok(head.startsWith(commit.trim()) && commit.length >= 10, commit)
  const page = readFileSync(join(root, 'docs/getting-started.md'), 'utf8')
  for (const [command] of page.matchAll(/npm run (--silent )?conduct --/g)) assert.equal(command, called)
})

test('the program is executable in a clone', () => {
  const listed = execFileSync('git', ['ls-files', '--stage', 'bin/conduct.cjs'], { cwd: root, encoding: 'utf8' })
  assert.match(listed, /^100755 /)
})

/** Runs a script with an old Node.js. */
function onOldNode(script: string, words: string[], env: NodeJS.ProcessEnv, input = '') {
  const [command, ...args] = oldNode(script)
  return spawnSync(command, [...args, ...words], { encoding: 'utf8', env: { ...process.env, ...env }, input })
}

const told = 'console.log(JSON.stringify([process.execArgv, process.env.MALLOC_ARENA_MAX, process.argv.slice(2)]))'

test('serve limits its memory, and keeps what its user has set', { skip: process.platform === 'win32' }, (t) => {
  const bin = join(clone(t, told), 'bin/conduct.cjs')
  const env = homeOf(freshFolder(t))
  const run = (more: object, ...args: string[]) =>
    JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env: { ...env, ...more } }))
  assert.deepEqual(run({}, bin, 'serve', '--port', '0'), [['--max-semi-space-size=8'], '2', ['serve', '--port', '0']])
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

test('serve makes V8 collect its heap sooner and compile with less memory, unless its user has set that', (t) => {
  const bin = join(clone(t, 'console.log(JSON.stringify(globalThis.flags))'), 'bin/conduct.cjs')
  const env = homeOf(freshFolder(t))
  const noted = join(env.HOME, 'noted.cjs')
  const note = `const v8 = require('node:v8'), set = v8.setFlagsFromString
    globalThis.flags = []
    v8.setFlagsFromString = (flag) => { globalThis.flags.push(flag); set(flag) }`
  writeFileSync(noted, note)
  const flags = (...args: string[]) =>
    JSON.parse(execFileSync(process.execPath, ['--require', noted, ...args], { encoding: 'utf8', env }))
  const all = [
    '--heap-growing-percent=50',
    '--incremental-marking-hard-trigger=25',
    '--no-maglev',
    '--no-allocation-site-pretenuring',
  ]
  assert.deepEqual(flags(bin, 'serve'), all)
  assert.deepEqual(flags('--heap-growing-percent=200', bin, 'serve'), all.slice(1))
  assert.deepEqual(flags('--maglev', bin, 'serve'), all.toSpliced(2, 1))
  assert.deepEqual(flags(bin, 'status'), [])
})

test('npm start serves from source, with the same settings', { skip: process.platform === 'win32' }, async (t) => {
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
  assert.match(text, /^Conduct listens on .*[\s\S]*npm run --silent conduct -- open/)
  if (process.platform !== 'linux') return
  const line = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').split('\0')
  assert.ok(line.includes('--max-semi-space-size=8'), line.join(' '))
})

/** A program that prints which Node.js runs it, its arguments, and what it reads. */
const reader = `process.stdin.setEncoding('utf8').on('data', (text) => console.log(JSON.stringify([process.execPath,
  process.argv.slice(2), text, Object.keys(process.env).filter((name) => name === 'CONDUCT_RESTARTED')])))`
const onUnix = { skip: process.platform === 'win32' }

test('an old Node.js on the PATH finds a newer one, and runs the program with it', onUnix, (t) => {
  const bin = join(clone(t, reader), 'bin/conduct.cjs')
  const home = freshFolder(t)
  const answer = (env: NodeJS.ProcessEnv) => {
    const { status, stdout, stderr } = onOldNode(bin, ['hook', 'claude'], { HOME: home, ...env }, '{}')
    assert.deepEqual([status, stderr], [0, ''])
    return JSON.parse(stdout)
  }
  const expected = [process.execPath, ['hook', 'claude'], '{}', []]
  const nvm = join(home, '.nvm/versions/node')
  for (const [version, target] of [
    ['v20.1.0', '/nowhere'],
    ['v24.21.0', process.execPath],
  ] as const) {
    mkdirSync(join(nvm, version, 'bin'), { recursive: true })
    symlinkSync(target, join(nvm, version, 'bin/node'))
  }
  assert.deepEqual(answer({ PATH: '/usr/bin:/bin' }), expected)
  rmSync(nvm, { recursive: true })
  // The first run wrote a launcher with the path of a Node.js, so this one needs no search.
  assert.deepEqual(answer({ PATH: '/usr/bin:/bin' }), expected)
  const launcher = join(home, '.local/share/conduct/bin/conduct')
  const ran = spawnSync(launcher, ['hook', 'codex'], {
    encoding: 'utf8',
    input: '{}',
    env: { HOME: home, PATH: '/usr/bin:/bin' },
  })
  assert.deepEqual(JSON.parse(ran.stdout), [process.execPath, ['hook', 'codex'], '{}', []])

  // Uninstalled, the launchers are left.
  rmSync(bin)
  const { command } = hookLine('claude', installs.find(({ name }) => name === 'claude')?.hooks as HookFile, true)
  const left = spawnSync('sh', ['-c', command], {
    encoding: 'utf8',
    input: '{}',
    env: { HOME: home, PATH: '/usr/bin:/bin' },
  })
  assert.deepEqual([left.status, left.stdout, left.stderr], [0, '', ''])
})

test('an old Node.js in the place of the remembered one is passed over for a newer one', onUnix, (t) => {
  const bin = join(clone(t, reader), 'bin/conduct.cjs')
  const [home, programs] = [freshFolder(t), freshFolder(t)]
  const kept = join(programs, 'kept')
  writeFileSync(kept, '#!/bin/sh\necho v20.1.0\n', { mode: 0o755 })
  const launchers = join(home, '.local/share/conduct/bin')
  mkdirSync(launchers, { recursive: true })
  writeFileSync(join(launchers, 'conduct'), `#!/bin/sh\nnode='${kept}'\n`)
  symlinkSync(process.execPath, join(programs, 'node'))
  const { status, stdout, stderr } = onOldNode(bin, ['hook', 'claude'], { HOME: home, PATH: programs }, '{}')
  assert.deepEqual([status, stderr], [0, ''])
  assert.deepEqual(JSON.parse(stdout), [process.execPath, ['hook', 'claude'], '{}', []])
})

test('the exit code and signals of the newer Node.js reach the caller', onUnix, async (t) => {
  const home = freshFolder(t)
  const env = { ...process.env, HOME: home }
  const ends = join(clone(t, 'process.exit(7)'), 'bin/conduct.cjs')
  assert.equal(onOldNode(ends, [], env).status, 7)
  const waits = join(
    clone(t, "process.on('SIGTERM', () => process.exit(3)); console.log('up'); setInterval(() => {}, 1e6)"),
    'bin/conduct.cjs',
  )
  const [command, ...args] = oldNode(waits)
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [3, null])
})

test('a server ends with the old Node.js that waits for it', onUnix, async (t) => {
  const server =
    "process.on('SIGTERM', () => { console.log('ends'); process.exit(0) }); console.log('up'); setInterval(() => {}, 1e6)"
  const [command, ...args] = oldNode(join(clone(t, server), 'bin/conduct.cjs'))
  const child = spawn(command, [...args, 'serve'], {
    env: { ...process.env, HOME: freshFolder(t) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  assert.equal((await lines.next()).value, 'up')
  child.kill('SIGKILL')
  assert.equal((await lines.next()).value, 'ends')
})

test('a hook without a usable Node.js is silent, and the doctor reports what was not recorded', onUnix, (t) => {
  const bin = join(clone(t, reader), 'bin/conduct.cjs')
  const env = { HOME: freshFolder(t), CONDUCT_RESTARTED: '1' }
  const { status, stdout, stderr } = onOldNode(bin, ['hook', 'claude'], env, 'x'.repeat(1_000_000))
  assert.deepEqual([status, stdout, stderr], [0, '', ''])
  const doctor = onOldNode(bin, ['doctor'], env)
  assert.deepEqual([doctor.status, doctor.stderr], [1, ''])
  assert.match(doctor.stdout, /^fail {2}node {6}conduct needs Node\.js 24\.15 /)
  assert.match(
    doctor.stdout,
    /^fail {2}hooks {5}20\S+Z: a hook of claude recorded nothing: Node\.js v\d+\S+ is too old, and no newer one was found$/m,
  )
  const findings: Finding[] = JSON.parse(onOldNode(bin, ['doctor', '--json'], env).stdout)
  assert.deepEqual(
    findings.map(({ about }) => about),
    ['node', 'hooks', 'search'],
  )
  const notBuilt = join(clone(t), 'bin/conduct.cjs')
  const silent = spawnSync(process.execPath, [notBuilt, 'hook', 'codex'], { encoding: 'utf8', env, input: '{}' })
  assert.deepEqual([silent.status, silent.stdout, silent.stderr], [0, '', ''])
  assert.match(onOldNode(bin, ['doctor'], env).stdout, /a hook of codex recorded nothing: conduct is not built in /)
})
