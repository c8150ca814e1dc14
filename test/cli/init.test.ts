import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { spawn } from '@lydell/node-pty'
import { writeAll } from '../../src/cli/init/edit.ts'
import { createClient } from '../../src/client/client.ts'
import { installs } from '../../src/recorder/agents/install.ts'
import { main } from '../support/program.ts'
import { adminKey, openServer } from '../support/server.ts'
import { hookOf, project } from './entered.ts'
import { freshFolder } from './folder.ts'
import { conductHere } from './program.ts'
import { syncAll, untilNobodyRuns } from './session.ts'
import { gitIn, writeFiles } from './user.ts'

test('init sets up a project for the agents that it finds, changes nothing the second time, and can be undone', async (t) => {
  const { home, cwd, env, read, filesNow, init, ledger } = project(t, {
    'README.md': '# Shop\n',
    '.codex/prompts.md': 'mine\n',
    '.gemini/commands/a.toml': 'prompt = "a"\n',
    'package.json': '{ "scripts": { "test": "vitest run", "lint": "biome ci" } }\n',
  })
  const before = filesNow()
  const pathsNow = () => readdirSync(cwd, { recursive: true }).sort()
  const paths = pathsNow()
  for (const folder of ['.claude', '.copilot', '.qwen', '.factory', '.config/opencode'])
    mkdirSync(join(home, folder), { recursive: true })
  mkdirSync(join(home, 'bin'))
  writeFileSync(join(home, 'bin/cursor'), '#!/bin/sh\n')
  chmodSync(join(home, 'bin/cursor'), 0o755)
  env.PATH = `${join(home, 'bin')}:${env.PATH}`

  const { code, stdout, stderr } = await init()
  assert.deepEqual([code, stderr], [0, ''])
  for (const { title, trust, hooks } of installs) {
    if ('text' in hooks) assert.equal(read(hooks.path), hooks.text)
    else assert.deepEqual(Object.keys(JSON.parse(read(hooks.path)).hooks), hooks.events)
    assert.ok(stdout.includes(`found    ${title}: `) && stdout.includes(trust), title)
  }
  assert.match(stdout, /^found {4}Claude Code: ~\/\.claude$/m)
  assert.match(stdout, /^found {4}Cursor: the program cursor$/m)
  assert.doesNotMatch(stdout, /not found|npm install/)
  assert.match(stdout, /^check {4}tests: npm test\ncheck {4}lint: npm run lint$/m)
  assert.deepEqual(JSON.parse(read('conduct.json')), {
    project: 'shop',
    checks: { tests: 'npm test', lint: 'npm run lint' },
    required: ['tests'],
  })
  assert.match(read('AGENTS.md'), /^<!-- conduct:begin -->\n[\s\S]*`shop`[\s\S]*<!-- conduct:end -->\n$/)
  assert.match(read('AGENTS.md'), /^- Hooks record each session of Claude Code, Codex, .* and Factory Droid: /m)
  assert.match(read('AGENTS.md'), /`conduct check exec --name tests -- npm test`/)

  assert.equal((await (await ledger()).getProject({ slug: 'shop' })).project.slug, 'shop')

  const entered = filesNow()
  const again = await init()
  assert.equal(again.code, 0)
  assert.match(again.stdout, /already up to date/)
  assert.deepEqual(filesNow(), entered)

  const removed = await init('--remove')
  assert.deepEqual([removed.code, removed.stderr], [0, ''])
  assert.deepEqual(filesNow(), before)
  assert.deepEqual(pathsNow(), paths, 'an empty folder would look like one of an agent')
  assert.match((await init('--remove')).stdout, /nothing to remove/)
})

const foreign = {
  '.claude/settings.json': `{
  // The team's own.
  "model": "opus",
  "hooks": {
    "Stop": [
      {
        "hooks": [
          {
            "type": "command",
            "command": "say done"
          }
        ]
      }
    ]
  }
}
`,
  '.mcp.json': `{
  "mcpServers": {
    "files": {
      "command": "files" // kept
    }
  }
}
`,
  '.codex/config.toml': `# The team's own.
model = "gpt-5.6-sol" # kept

[mcp_servers.files]
command = "files"
`,
  '.cursor/hooks.json': `{
\t"version": 1,
\t"hooks": {
\t\t"afterFileEdit": [
\t\t\t{
\t\t\t\t"command": "./format.sh"
\t\t\t}
\t\t]
\t}
}
`,
  'AGENTS.md': '# For agents\n\nRead README.md.\n',
  'CLAUDE.md': 'Be kind.',
}

test('init keeps what others wrote, including comments, and so does its removal', async (t) => {
  const { read, filesNow, init } = project(t, foreign)
  assert.equal((await init('--agents', 'claude,codex,cursor')).code, 0)
  const settings = read('.claude/settings.json')
  assert.match(settings, /\/\/ The team's own\.\n {2}"model": "opus"/)
  assert.match(settings, /say done[\s\S]*conduct-ledger hook claude/)
  assert.match(read('.mcp.json'), /"command": "files"/)
  assert.match(read('.codex/config.toml'), /^# The team's own\.\nmodel = "gpt-5\.6-sol" # kept$/m)
  assert.match(read('.cursor/hooks.json'), /^\t\t"afterFileEdit": \[$/m)
  assert.ok(read('AGENTS.md').startsWith(foreign['AGENTS.md']))
  assert.match(read('CLAUDE.md'), /^Be kind\.\n\n<!-- conduct:begin -->/)

  assert.equal((await init('--remove', '--agents', 'codex')).code, 0)
  assert.equal(read('.codex/config.toml'), foreign['.codex/config.toml'])
  assert.match(read('.claude/settings.json'), /conduct-ledger hook claude/)
  assert.match(read('AGENTS.md'), /conduct:begin/)

  assert.equal((await init('--remove')).code, 0)
  assert.deepEqual(filesNow(), { ...foreign, 'CLAUDE.md': 'Be kind.\n' })
})

test('init replaces entries of version 0.1, and keeps a foreign MCP server of the same name', async (t) => {
  const old = {
    type: 'command',
    command: 'command -v conduct >/dev/null 2>&1 && conduct hook claude || cat >/dev/null',
  }
  const npx = { command: 'npx', args: ['-y', 'conduct-ledger@0.1.0', 'mcp'] }
  const { read, init } = project(t, {
    '.claude/settings.json': JSON.stringify({ hooks: { Stop: [{ hooks: [old] }], Setup: [{ hooks: [old] }] } }),
    '.mcp.json': JSON.stringify({ mcpServers: { conduct: npx } }),
    '.codex/config.toml': `[mcp_servers.conduct]\ncommand = "npx"\nargs = ["-y", "conduct-ledger@0.1.0", "mcp"]\n`,
    '.cursor/mcp.json': JSON.stringify({ mcpServers: { conduct: { command: 'orchestra' } } }),
  })
  assert.equal((await init('--agents', 'claude,codex,cursor')).code, 0)
  const { Stop, Setup } = JSON.parse(read('.claude/settings.json')).hooks
  assert.deepEqual(Stop, [{ hooks: [{ type: 'command', command: hookOf('claude'), timeout: 30 }] }])
  assert.equal(Setup, undefined, 'an event that is not recorded any more')
  assert.deepEqual(JSON.parse(read('.mcp.json')), {
    mcpServers: { conduct: { command: 'conduct-ledger', args: ['mcp'] } },
  })
  assert.equal(read('.codex/config.toml'), '[mcp_servers.conduct]\ncommand = "conduct-ledger"\nargs = ["mcp"]\n')
  await init('--remove')
  assert.deepEqual(JSON.parse(read('.cursor/mcp.json')), { mcpServers: { conduct: { command: 'orchestra' } } })
})

test('a dry run shows the changes as a patch, and makes none', async (t) => {
  const { env, filesNow, init } = project(t, { '.cursor/mcp.json': '{\n  "mcpServers": {}\n}\n' })
  rmSync(join(env.HOME, 'conduct.db'))
  const before = filesNow()
  const { code, stdout } = await init('--agents', 'cursor', '--no-hooks', '--dry-run')
  assert.equal(code, 0)
  assert.deepEqual(filesNow(), before)
  assert.ok(!stdout.includes('by hooks'))
  assert.ok(!existsSync(join(env.HOME, 'conduct.db')))
  assert.equal(
    stdout.replace(/\+\+\+ AGENTS\.md\n[\s\S]*?\n\n/, '+++ AGENTS.md\n\n'),
    `--- /dev/null
+++ conduct.json
@@ -0,0 +1,3 @@
+{
+  "project": "shop"
+}

--- /dev/null
+++ AGENTS.md

--- .cursor/mcp.json
+++ .cursor/mcp.json
@@ -1,3 +1,10 @@
 {
-  "mcpServers": {}
+  "mcpServers": {
+    "conduct": {
+      "command": "conduct-ledger",
+      "args": [
+        "mcp"
+      ]
+    }
+  }
 }
`,
  )
})

test('below the folder of conduct.json, init names each file from where it was started', async (t) => {
  const { env, cwd, filesNow, init } = project(t, {
    'package.json': '{ "scripts": { "test": "vitest run" } }\n',
    'packages/api/index.js': '',
    'packages/web/conduct.json': '{ "project": "web" }\n',
  })
  gitIn(cwd)('init', '-q')
  const initIn = (folder: string, ...flags: string[]) =>
    conductHere(['init', '--agents', 'claude', ...flags], env, join(cwd, folder))
  const dry = await initIn('packages/api', '--dry-run')
  assert.match(dry.stdout, /^In \.\.\/\.\.:\n--- \/dev\/null\n\+\+\+ conduct\.json$/m)
  const first = await initIn('packages/api', '--project', 'api')
  assert.match(first.stdout, /^wrote {4}\.\.\/\.\.\/conduct\.json$/m)
  assert.match(first.stdout, /^wrote {4}\.\.\/\.\.\/\.claude\/settings\.json$/m)
  const other = await initIn('packages/api', '--project', 'all')
  assert.match(other.stdout, /^changed {2}\.\.\/\.\.\/conduct\.json$/m)
  assert.match(other.stdout, /^The project in \.\.\/\.\.\/conduct\.json was 'api'\. Now it is 'all'\.$/m)
  assert.doesNotMatch((await init('--agents', 'codex')).stdout, /^In |\.\.|The project in/m)
  // A package with its own conduct.json is a project of its own.
  assert.match((await initIn('packages/web')).stdout, /^wrote {4}\.claude\/settings\.json$/m)
  assert.match(filesNow()['packages/web/AGENTS.md'] ?? '', /`web`/)
  assert.match((await initIn('packages/api', '--remove')).stdout, /^removed {2}\.\.\/\.\.\/\.mcp\.json$/m)
})

test('init names a file that it cannot change, and writes nothing', async (t) => {
  const cases: [Record<string, string>, RegExp, number?][] = [
    [{ '.mcp.json': '{ "mcpServers": ' }, /\.mcp\.json: it is not valid JSON \(ValueExpected in line 1\)/],
    [{ '.claude/settings.json': '[]' }, /\.claude\/settings\.json: it must be an object/],
    [{ '.claude/settings.json': '{ "hooks": { "Stop": {} } }' }, /settings\.json: "hooks\.Stop" must be a list/],
    [{ '.codex/config.toml': 'model = ' }, /\.codex\/config\.toml: /],
    [{ 'AGENTS.md': 'a <!-- conduct:begin --> b' }, /AGENTS\.md: it must have <!-- conduct:begin --> and, after it/],
    [{ 'conduct.json': '{' }, /conduct\.json must be \{ "project"/],
    // This error occurs only while writing, so init restores what it has written before.
    [{ '.codex': 'a file where a folder should be' }, /\.codex.* Nothing was written/, 1],
  ]
  for (const [files, words, exitCode = 2] of cases) {
    const { filesNow, init } = project(t, files)
    const { code, stdout, stderr } = await init('--agents', 'claude,codex,cursor')
    assert.equal(code, exitCode, stdout)
    assert.match(stderr, words)
    assert.deepEqual(filesNow(), files)
  }
})

test('when a file cannot be written, those before it are as they were', (t) => {
  const folder = freshFolder(t)
  const at = (name: string) => join(folder, name)
  const before = { changed: 'a', removed: 'b', target: 'c' }
  writeFiles(folder, before)
  symlinkSync('target', at('link'))
  mkdirSync(at('own'))
  const edits = [
    { path: at('changed'), before: 'a', after: 'A' },
    { path: at('new'), before: undefined, after: 'N' },
    { path: at('other/folder/file'), before: undefined, after: 'F' },
    { path: at('own/folder/file'), before: undefined, after: 'F' },
    { path: at('removed'), before: 'b', after: undefined },
    { path: at('link'), before: 'c', after: undefined },
    { path: at('removed by somebody else'), before: 'd', after: undefined },
  ]
  assert.throws(() => writeAll(edits, folder), /removed by somebody else.*Nothing was written/)
  for (const [name, text] of Object.entries(before)) assert.equal(readFileSync(at(name), 'utf8'), text)
  assert.deepEqual(readdirSync(folder).sort(), ['changed', 'link', 'own', 'removed', 'target'])
  assert.deepEqual(readdirSync(at('own')), [])
  assert.ok(lstatSync(at('link')).isSymbolicLink())
})

test('init leaves CLAUDE.md alone if it is AGENTS.md, or includes it', async (t) => {
  const linked = project(t, { 'AGENTS.md': '# A\n' })
  symlinkSync('AGENTS.md', join(linked.cwd, 'CLAUDE.md'))
  assert.equal((await linked.init('--agents', 'claude')).code, 0)
  assert.equal(linked.read('CLAUDE.md').match(/conduct:begin/g)?.length, 1)
  const other = project(t, { 'CLAUDE.md': '# C\n' })
  symlinkSync('CLAUDE.md', join(other.cwd, 'AGENTS.md'))
  assert.equal((await other.init('--agents', 'claude,claude')).code, 0)
  assert.equal(other.read('CLAUDE.md').match(/conduct:begin/g)?.length, 1)
  assert.ok(lstatSync(join(other.cwd, 'AGENTS.md')).isSymbolicLink())
  const taken = project(t, { 'CLAUDE.md': '@AGENTS.md\n' })
  assert.equal((await taken.init('--agents', 'claude')).code, 0)
  assert.equal(taken.read('CLAUDE.md'), '@AGENTS.md\n')
})

test('init does not read a file that is not regular', async (t) => {
  const { cwd, init } = project(t)
  execFileSync('mkfifo', [join(cwd, 'AGENTS.md')])
  const { code, stderr } = await init('--agents', 'claude')
  assert.equal(code, 1)
  assert.match(stderr, /AGENTS\.md is not a regular file\. Nothing was written/)
})

test('on a server, init creates the project if the key may, and else says so', async (t) => {
  const { url } = await openServer(t)
  const { env, cwd, init } = project(t)
  const admin = createClient({ url, key: adminKey })
  Object.assign(env, { CONDUCT_URL: url, CONDUCT_API_KEY: adminKey })
  assert.match((await init('--agents', 'claude')).stdout, /Created the project 'shop' on http/)
  assert.equal((await admin.getProject({ slug: 'shop' })).project.slug, 'shop')
  assert.match((await init('--agents', 'claude')).stdout, /The project 'shop' exists on http/)

  const { secret } = await admin.createKey({ name: 'agents', permissions: ['agent'], project: 'shop' })
  Object.assign(env, { CONDUCT_API_KEY: secret })
  assert.match((await init('--project', 'other')).stdout, /The key belongs to the project 'shop'/)
  assert.deepEqual(JSON.parse(readFileSync(join(cwd, 'conduct.json'), 'utf8')), { project: 'other' })

  const { secret: writer } = await admin.createKey({ name: 'writer', permissions: ['write'] })
  Object.assign(env, { CONDUCT_API_KEY: writer })
  assert.match((await init('--project', 'third')).stdout, /does not exist on http.*this key cannot create it/)

  Object.assign(env, { CONDUCT_URL: 'http://127.0.0.1:9/conduct' })
  const away = await init('--project', 'fourth')
  assert.equal(away.code, 7)
  assert.match(away.stdout, /changed +conduct\.json/)
})

test('a wrong flag is an error', async (t) => {
  const { init, filesNow } = project(t)
  assert.match((await init('--agents', 'emacs')).stderr, /'emacs'.*claude, codex, cursor/)
  assert.match((await init('--project', 'a b')).stderr, /'a b' is not a slug/)
  assert.deepEqual(filesNow(), {})
})

test('the hook that init writes records if conduct is installed, and does nothing otherwise', async (t) => {
  const { home, cwd, env, init, ledger } = project(t)
  assert.equal((await init('--agents', 'codex')).code, 0)
  const document = {
    session_id: 's-1',
    turn_id: 't-1',
    cwd,
    hook_event_name: 'UserPromptSubmit',
    prompt: `Go\n${'on '.repeat(100_000)}`,
  }
  const run = () =>
    execFileSync('sh', ['-c', hookOf('codex')], { env, cwd, input: JSON.stringify(document), encoding: 'utf8' })
  assert.equal(run(), '')
  assert.ok(!existsSync(join(home, '.local/state')))
  // The launcher is where the hook finds conduct if the PATH does not have it.
  const launcher = join(home, '.local/share/conduct/bin/conduct-ledger')
  writeFiles(home, {
    '.local/share/conduct/bin/conduct-ledger': `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`,
  })
  chmodSync(launcher, 0o755)
  assert.equal(run(), '')
  await syncAll(env)
  const { runs } = await (await ledger()).listRuns()
  assert.deepEqual(
    runs.map(({ title }) => title),
    ['Go'],
  )
  untilNobodyRuns(home)
})

test('on a terminal, init asks first, and writes nothing if the user cancels', async (t) => {
  const { cwd, env, filesNow, read } = project(t)
  const run = async (keys: [RegExp, string][]) => {
    const terminal = spawn(process.execPath, [main, 'init'], { cwd, env, cols: 120, rows: 40 })
    let shown = ''
    terminal.onData((text) => {
      shown += text
      const [next] = keys
      if (!next?.[0].test(shown)) return
      keys.shift()
      shown = ''
      terminal.write(next[1])
    })
    const exitCode = await new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)))
    return { exitCode, shown }
  }
  assert.equal((await run([[/Name of the project/, '\u0003']])).exitCode, 0)
  assert.deepEqual(filesNow(), {})
  const { exitCode, shown } = await run([
    [/Name of the project/, '-front\r'],
    [/Agents whose sessions to record/, ' \r'],
    [/Write the files in/, '\r'],
  ])
  assert.equal(exitCode, 0, shown)
  assert.deepEqual(JSON.parse(read('conduct.json')), { project: 'shop-front' })
  assert.match(read('.claude/settings.json'), /conduct-ledger hook claude/)
  writeFiles(cwd, { 'go.mod': 'module shop\n' })
  const proposes = /Record these commands as checks\?[\s\S]*tests: go test \.\/\.\.\.[\s\S]*lint: go vet \.\/\.\.\./
  const answer = (key: string): [RegExp, string][] => [
    [/Agents whose sessions to record/, '\r'],
    [proposes, key],
    [/Write the files in/, '\r'],
  ]
  assert.equal((await run(answer('n'))).exitCode, 0)
  assert.deepEqual(JSON.parse(read('conduct.json')), { project: 'shop-front' })
  assert.equal((await run(answer('\r'))).exitCode, 0)
  assert.deepEqual(JSON.parse(read('conduct.json')).checks, { tests: 'go test ./...', lint: 'go vet ./...' })
})
