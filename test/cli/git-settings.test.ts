import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { passedOn, passedOnFiles } from '../../src/place/git/git.ts'
import { installs } from '../../src/recorder/agents/install.ts'
import { freshFolder, homeOf } from './folder.ts'
import { conduct, conductHere } from './program.ts'
import { looksLikeProgram, settingsThatOnlyLookSo, settingsThatRun } from './programs-of-git.ts'
import { documentsOf, hook, untilNobodyRuns } from './session.ts'
import { everyProgram, type Trapped, trappedFolder, traps } from './traps.ts'
import { gitIn, writeFiles } from './user.ts'

test('no setting that git gets from a folder names a program', () => {
  for (const name of [...Object.keys(passedOn), ...passedOnFiles]) {
    assert.ok(!settingsThatRun.includes(name) || name === 'remote.origin.url', name)
    assert.doesNotMatch(name, looksLikeProgram)
  }
})

test('the settings of the installed git that look as if they named a program are known', () => {
  const listed = execFileSync('git', ['help', '--config'], { encoding: 'utf8' }).toLowerCase().split('\n')
  const names = listed
    .map((line) => line.trim().replace(/<[^>]*>|\*/g, '<x>'))
    .filter((line) => /^\S+\.\S+$/.test(line))
  assert.ok(names.length > 300, `${names.length} settings`)
  const known = new Set([...settingsThatRun, ...Object.keys(settingsThatOnlyLookSo)])
  const unknown = names.filter((name) => looksLikeProgram.test(name) && !known.has(name))
  assert.deepEqual(unknown, [], 'find out whether they run programs, and add them to test/cli/programs-of-git.ts')
})

/** The ways by which a folder with settings of somebody else arrives, each with the folder in which commands run. */
const arrivals: Record<string, (its: Trapped) => string> = {
  'an archive with its .git': (its) => {
    everyProgram(its)
    return its.cwd
  },
  'a clone that contains a bare repository': (its) => traps['a bare repository in a clone']?.(its) as string,
  'an archive with a repository below the folder': (its) => {
    everyProgram(its)
    const { cwd } = its
    mkdirSync(join(cwd, '../outer'))
    execFileSync('mv', [cwd, join(cwd, '../outer/sub')])
    const outer = join(cwd, '../outer')
    gitIn(outer)('init', '-q')
    writeFiles(outer, { 'conduct.json': '{ "project": "shop" }\n' })
    return outer
  },
}

const request = (id: number, method: string, params: object) => JSON.stringify({ jsonrpc: '2.0', id, method, params })

const toServer = [
  request(1, 'initialize', {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  }),
  request(2, 'tools/call', { name: 'log_run', arguments: { title: 'Try it' } }),
  request(3, 'tools/call', { name: 'record_check', arguments: { name: 'tests', result: 'pass' } }),
]

const commands: [words: string[], input?: string][] = [
  [['exec', '--', 'true']],
  [['check', 'exec', '--name', 'tests', '--', 'true']],
  [['run', 'create', '--title', 'x']],
  [['run', 'list']],
  [['status']],
  [['init', '--dry-run']],
  [['init', '--yes', '--agents', 'claude']],
  [['doctor']],
  [['import', 'claude', '--dry-run']],
  [['mcp'], `${toServer.join('\n')}\n`],
  [['sync']],
]

test('no command and no hook takes a program from the folder, even if the PATH has relative folders', async (t) => {
  const home = freshFolder(t)
  t.after(() => untilNobodyRuns(home))
  const folder = trappedFolder(home, 'folder')
  for (const name of ['git', 'sh', 'node', 'ps', 'mkfifo', 'xdg-open', 'claude', 'conduct']) {
    symlinkSync(folder.canary(name), join(folder.cwd, name))
  }
  const place = { ...homeOf(home), CONDUCT_DATABASE_URL: `sqlite:${join(home, 'conduct.db')}` }
  const env = { ...place, PATH: `.::${process.env.PATH}` }
  const { PATH } = process.env
  t.after(() => Object.assign(process.env, { PATH }))
  process.env.PATH = env.PATH
  for (const document of documentsOf('claude', { folder: home, cwd: folder.cwd })) await hook('claude', document, env)
  for (const [words, input] of commands) {
    await (input === undefined ? conductHere(words, env, folder.cwd) : conduct(words, env, folder.cwd, input))
    assert.deepEqual(folder.marks(), [], words.join(' '))
  }
})

for (const [arrival, set] of Object.entries(arrivals)) {
  test(`no command and no hook runs a program of ${arrival}`, async (t) => {
    const home = freshFolder(t)
    t.after(() => untilNobodyRuns(home))
    const folder = trappedFolder(home, 'folder')
    const cwd = set(folder)
    const env = { ...homeOf(home), CONDUCT_DATABASE_URL: `sqlite:${join(home, 'conduct.db')}` }
    for (const { name } of installs) {
      if (!['claude', 'codex', 'cursor'].includes(name)) continue
      for (const document of documentsOf(name, { folder: home, cwd })) await hook(name, document, env)
    }
    for (const [words, input] of commands) {
      // The server of MCP ends its process.
      await (input === undefined ? conductHere(words, env, cwd) : conduct(words, env, cwd, input))
      assert.deepEqual(folder.marks(), [], words.join(' '))
    }
  })
}
