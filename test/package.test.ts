import assert from 'node:assert/strict'
import { type ExecFileException, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { fieldsOf } from '../src/recorder/agents/fields.ts'
import { installs } from '../src/recorder/agents/install.ts'
import { documentsOf, untilNobodyRuns } from './cli/session.ts'
import { gitIn, localUser, type User, writeFiles } from './cli/user.ts'
import { oldNode } from './support/old-node.ts'
import { packInto } from './support/packed.ts'
import { adminKey, startServer } from './support/server.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'conduct-package-'))
/** A project that has only the packed tarball installed. */
const home = join(folder, 'home')
const installed = join(home, 'node_modules/conduct-ledger')
const bin = join(installed, 'bin/conduct.cjs')
/** Keeps the user's own cache as it is. */
const cacheHome = { XDG_CACHE_HOME: join(folder, 'cache-home') }

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

const consumer = `import { createClient } from 'conduct-ledger'
import { createApp, openStore } from 'conduct-ledger/server'

const store = await openStore('sqlite::memory:', { adminKey: '${adminKey}' })
const app = createApp({ store })
const client = createClient({ url: 'http://localhost/conduct', key: '${adminKey}', fetch: (request) => app.fetch(request) })
const { run } = await client.createRun({ status: 'completed' })
// @ts-expect-error: a run has no such field
const { nothing } = run
// @ts-expect-error: no such status
await client.updateRun({ runId: run.runId, status: 'perfect' }).catch(() => {})
console.log(run.runId, run.status, nothing)
await store.close()
`

before(async () => {
  const tarball = await packInto(folder)
  mkdirSync(home)
  writeFileSync(join(home, 'package.json'), '{ "private": true, "type": "module" }')
  writeFileSync(join(home, 'consumer.ts'), consumer)
  const flags = ['--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']
  await run('npm', ['install', ...flags, tarball], { cwd: home })
})

test('the command that the documentation gives installs the tarball', async () => {
  const page = readFileSync(join(root, 'docs/installing.md'), 'utf8')
  const [, command = ''] = /^```console\n(npm install --global .*)\n```$/m.exec(page) ?? []
  const prefix = join(folder, 'prefix')
  const env = { ...process.env, ...cacheHome, NPM_CONFIG_PREFIX: prefix, NPM_CONFIG_PREFER_OFFLINE: 'true' }
  await run('sh', ['-c', command], { cwd: folder, env })
  assert.match((await run(join(prefix, 'bin/conduct'), ['--version'], { env })).stdout, versionPattern)
})

const { version } = readJson(join(root, 'package.json'))
/** The version and, unless it is a release, the commit that was built. */
const versionPattern = new RegExp(`^${version}${version.includes('-') ? '\\+[0-9a-f]{10,}' : ''}\\n?$`)

after(() => rmSync(folder, { recursive: true, force: true }))

test('the installed bin prints its version, and serves', async (t) => {
  const { stdout } = await run(process.execPath, [bin, '--version'], { env: { ...process.env, ...cacheHome } })
  assert.match(stdout, versionPattern)
  assert.ok(existsSync(join(home, 'node_modules/.bin/conduct')))
  const { url } = await startServer(t, `sqlite:${join(folder, 'conduct.db')}`, cacheHome, bin)
  const response = await fetch(`${url}/v1/runs`, { headers: { authorization: `Bearer ${adminKey}` } })
  assert.deepEqual(await response.json(), { runs: [], meta: { hasMore: false } })
  assert.equal((await fetch(`${url}/openapi.json`)).status, 200)
})

test('the compile cache is in a folder that only the user can write to, and nowhere else', async () => {
  const version = (cache: string) =>
    run(process.execPath, [bin, '--version'], { env: { PATH: process.env.PATH, XDG_CACHE_HOME: cache } })
  const cache = join(folder, 'cache')
  const kept = join(cache, 'conduct')
  await version(cache)
  assert.equal(statSync(kept).mode & 0o777, 0o700)
  assert.ok(readdirSync(kept).length > 0)
  rmSync(kept, { recursive: true })
  mkdirSync(kept)
  chmodSync(kept, 0o777)
  assert.match((await version(cache)).stdout, /^\d/)
  assert.deepEqual(readdirSync(kept), [])
  // Below a file, nothing can be created, as on a read-only file system.
  assert.match((await version(bin)).stdout, /^\d/)
})

test('the installed bin speaks MCP', async () => {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  const child = spawn(process.execPath, [bin, 'mcp'], {
    env: { ...process.env, CONDUCT_DATABASE_URL: 'sqlite::memory:', HOME: home },
  })
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`)
  const [line] = await once(child.stdout, 'data')
  child.stdin.end()
  const { serverInfo } = JSON.parse(String(line)).result
  assert.match(serverInfo.version, versionPattern)
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

/** The commands in a hooks file for an event, which a shell runs. */
function hooksFor(file: string, event: unknown): string[] {
  const entries = fieldsOf(readJson(file).hooks)[String(event)] ?? []
  return [entries]
    .flat()
    .flatMap((entry) => [fieldsOf(entry), fieldsOf(entry).hooks].flat())
    .flatMap((hook) => {
      const { command } = fieldsOf(hook)
      return typeof command === 'string' ? [command] : []
    })
}

/** Runs a shell command as that user, with the installed program on the PATH. */
function inShell({ env, cwd }: User, line: string, input = '') {
  const path = [join(home, 'node_modules/.bin'), dirname(process.execPath), env.PATH].join(delimiter)
  const running = run('sh', ['-c', line], { env: { ...env, PATH: path }, cwd })
  running.child.stdin?.on('error', () => {}).end(input)
  return running
}

test('after conduct init and an agent session, conduct run list shows the run, for each agent', async (t) => {
  const user = localUser(t)
  const { env, cwd } = user
  writeFiles(cwd, { 'src/login.ts': 'answer(500)\n' })
  const agents = { claude: 'claude-code', codex: 'codex', cursor: 'cursor' }
  const recorded = installs.filter(({ name }) => Object.hasOwn(agents, name))
  for (const { signs } of recorded) mkdirSync(join(cwd, signs.project[0] as string))
  const git = gitIn(cwd)
  git('init', '-q')
  git('add', '-A')
  git('commit', '-qm', 'first')
  await inShell(user, 'conduct init --yes')
  for (const { name, hooks } of recorded) {
    for (const document of documentsOf(name, { folder: env.HOME, cwd })) {
      for (const hook of hooksFor(join(cwd, hooks.path), document.hook_event_name)) {
        await inShell(user, hook, JSON.stringify(document))
      }
    }
  }
  untilNobodyRuns(env.HOME)
  const { stdout } = await inShell(user, 'conduct run list')
  for (const agent of Object.values(agents)) {
    assert.match(stdout, new RegExp(`^RUN-\\d+ +completed +unchecked +${agent} +Fix the login `, 'm'), agent)
  }
  assert.equal(stdout.trim().split('\n').length, 1 + recorded.length, stdout)
})

test('a hook records in a project whose PATH begins with an old Node.js', async (t) => {
  const user = localUser(t)
  const { env, cwd } = user
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop" }\n' })
  const [command, ...args] = oldNode(bin).map((word) => `'${word.replaceAll("'", "'\\''")}'`)
  writeFiles(env.HOME, { 'old/node': `#!/bin/sh\nshift\nexec ${[command, ...args].join(' ')} "$@"\n` })
  chmodSync(join(env.HOME, 'old/node'), 0o755)
  const inProject = (line: string, input?: string) => inShell(user, `PATH="$HOME/old:$PATH"; ${line}`, input)
  const documents = documentsOf('claude', { folder: env.HOME, cwd })
  const prompt = documents.find(({ hook_event_name }) => hook_event_name === 'UserPromptSubmit')
  const { stdout, stderr } = await inProject('conduct hook claude', JSON.stringify(prompt))
  assert.deepEqual([stdout, stderr], ['', ''])
  untilNobodyRuns(env.HOME)
  assert.match((await inProject('conduct run list')).stdout, /^RUN-001 +in_progress /m)
})

test('an error says what to do, and has an exit code for its kind', async (t) => {
  const user = localUser(t)
  const dead = 'CONDUCT_URL=http://127.0.0.1:9/conduct CONDUCT_API_KEY=x'
  const cases: [line: string, code: number, told: RegExp][] = [
    ['conduct run list --statsu failed', 2, /Did you mean --status\?/],
    ['conduct run create nothing.md', 2, /no file nothing\.md: pass another path, or -/],
    ['conduct run get RUN-009', 4, /RUN-009/],
    [`${dead} conduct run list`, 7, /No response from .*\n.*conduct doctor/],
  ]
  for (const [line, code, told] of cases) {
    const ended = await inShell(user, line).then(
      () => assert.fail(line),
      (error: ExecFileException & { stderr: string }) => error,
    )
    assert.equal(ended.code, code, `${line}: ${ended.stderr}`)
    assert.match(ended.stderr, told)
  }
})

test('the client and the server can be imported, with their types', async () => {
  const { stdout } = await run(process.execPath, ['consumer.ts'], { cwd: home })
  assert.equal(stdout, 'RUN-001 completed undefined\n')
  const options = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--types',
    '',
  ]
  await run(join(root, 'node_modules/.bin/tsc'), [...options, 'consumer.ts'], { cwd: home })
})

test('the TypeScript example of the documentation works', async (t) => {
  const { url } = await startServer(t, 'sqlite::memory:', cacheHome, bin)
  const [, code = ''] = /^```ts\n([\s\S]*?)^```$/m.exec(readFileSync(join(root, 'docs/rest.md'), 'utf8')) ?? []
  assert.match(code, /from 'conduct-ledger'/)
  writeFileSync(join(home, 'client.ts'), code.replace('http://localhost:3000/conduct', url))
  const strictest = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--noUnusedLocals']
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
  const rest = ['--noEmit', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024']
  await run(join(root, 'node_modules/.bin/tsc'), [...strictest, ...types, ...rest, 'client.ts'], { cwd: home })
  await run(process.execPath, ['client.ts'], { cwd: home, env: { ...process.env, CONDUCT_API_KEY: adminKey } })
})

test('the package contains what it needs and nothing else', () => {
  const made = ['bin', 'deploy', 'dist', 'docs', 'package.json', 'openapi.json']
  const allowed = [...made, 'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE']
  assert.deepEqual(
    readdirSync(installed).filter((part) => !allowed.includes(part)),
    [],
  )
})

test('every link and picture of the README in the package has its file there', () => {
  const links = [...readFileSync(join(installed, 'README.md'), 'utf8').matchAll(/\]\(([^)#\s]+)/g)]
  const dead = links.flatMap(([, path = '']) =>
    /^[a-z]+:/.test(path) || existsSync(join(installed, path)) ? [] : [path],
  )
  assert.ok(links.length > 20)
  assert.deepEqual(dead, [])
})

test('the package contains the files of deploy/ that the documentation names', () => {
  const page = readFileSync(join(root, 'docs/operations.md'), 'utf8')
  const named = [...page.matchAll(/conduct-ledger\/(deploy\/[\w./]+)|\]\(\.\.\/(deploy\/[^)]+)\)/g)]
  assert.ok(named.length >= 4)
  for (const [, one, other = one] of named) assert.ok(existsSync(join(installed, other ?? '')), other)
})

test('the package depends only on what the build leaves external and what its types import', () => {
  const { dependencies, exports } = readJson(join(installed, 'package.json'))
  const named = new Set(['pg'])
  const seen = new Set<string>()
  const follow = (path: string) => {
    if (seen.has(path)) return
    seen.add(path)
    for (const [, target = ''] of readFileSync(path, 'utf8').matchAll(/(?:from |import\()['"]([^'"\s]+)['"]/g)) {
      if (target.startsWith('.')) follow(join(dirname(path), target.replace(/\.[jt]s$/, '.d.ts')))
      else named.add(target.split('/', target.startsWith('@') ? 2 : 1).join('/'))
    }
  }
  for (const entry of Object.values(exports) as { types?: string }[]) {
    if (entry.types) follow(join(installed, entry.types))
  }
  assert.deepEqual(Object.keys(dependencies).sort(), [...named].sort())
})

test('the package installs without scripts, in at most 25 MB', () => {
  const { packages } = readJson(join(home, 'node_modules/.package-lock.json')) as {
    packages: Record<string, { hasInstallScript?: boolean }>
  }
  const scripted = Object.keys(packages).filter((name) => packages[name]?.hasInstallScript)
  assert.deepEqual(scripted, [])
  const sizes = globSync('node_modules/**', { cwd: home }).map((path) => statSync(join(home, path)))
  const bytes = sizes.reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0)
  assert.ok(bytes <= 25 * 1_048_576, `${bytes} bytes`)
})

test('the client with its imports is at most 8 KB, gzipped', () => {
  const seen = new Set<string>()
  const follow = (path: string) => {
    if (seen.has(path)) return
    seen.add(path)
    for (const [, target = ''] of readFileSync(path, 'utf8').matchAll(/^(?:import|export) [^'"]*from ['"]([^'"]+)/gm)) {
      assert.ok(target.startsWith('.'), `the client imports ${target}`)
      follow(join(dirname(path), target))
    }
  }
  follow(join(installed, 'dist/client/client.js'))
  assert.ok(seen.size > 1)
  const bytes = gzipSync(Buffer.concat([...seen].map((path) => readFileSync(path)))).length
  assert.ok(bytes <= 8192, `${bytes} bytes`)
})

test('the error on an old Node.js says which version is needed, and why', async () => {
  const [command, ...args] = oldNode(bin)
  // Conduct sets this when it has already searched for a newer Node.js.
  const env = { ...process.env, CONDUCT_RESTARTED: '1' }
  const { code, stdout, stderr } = await run(command, args, { env }).then(
    () => assert.fail('it started'),
    (error: ExecFileException & { stdout: string; stderr: string }) => error,
  )
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /^conduct needs Node\.js 24\.15 or newer, whose SQLite .*\.\n$/)
})
