import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { hookLine } from '../../src/cli/init/project-files.ts'
import { installs } from '../../src/recorder/agents/install.ts'
import { hookOf, project, windowsHookOf } from './entered.ts'
import { writeFiles } from './user.ts'

/** The entry for one event in each agent's format, and the content of its MCP file. */
const forms: Record<string, { event?: string; entry?: unknown; servers: Record<string, unknown> }> = {
  claude: {
    event: 'Notification',
    entry: { hooks: [{ type: 'command', command: hookOf('claude'), timeout: 30, async: true }] },
    servers: { '.mcp.json': { mcpServers: { conduct: { command: 'conduct-ledger', args: ['mcp'] } } } },
  },
  codex: {
    event: 'SessionEnd',
    entry: {
      hooks: [{ type: 'command', command: hookOf('codex'), commandWindows: windowsHookOf('codex'), timeout: 3 }],
    },
    servers: {
      '.codex/config.toml': '[mcp_servers]\n\n[mcp_servers.conduct]\ncommand = "conduct-ledger"\nargs = [ "mcp" ]\n',
    },
  },
  cursor: {
    event: 'stop',
    entry: { command: hookOf('cursor'), timeout: 30 },
    servers: { '.cursor/mcp.json': { mcpServers: { conduct: { command: 'conduct-ledger', args: ['mcp'] } } } },
  },
  copilot: {
    event: 'UserPromptSubmit',
    entry: { type: 'command', bash: hookOf('copilot'), powershell: windowsHookOf('copilot'), timeoutSec: 30 },
    servers: {
      '.github/mcp.json': {
        mcpServers: { conduct: { type: 'local', command: 'conduct-ledger', args: ['mcp'], tools: ['*'] } },
      },
      '.vscode/mcp.json': { servers: { conduct: { type: 'stdio', command: 'conduct-ledger', args: ['mcp'] } } },
    },
  },
  opencode: {
    servers: {
      'opencode.json': {
        $schema: 'https://opencode.ai/config.json',
        mcp: { conduct: { type: 'local', command: ['conduct-ledger', 'mcp'], enabled: true } },
      },
    },
  },
  gemini: {
    event: 'AfterAgent',
    entry: { hooks: [{ type: 'command', command: hookOf('gemini'), timeout: 30_000 }] },
    servers: {},
  },
  qwen: {
    event: 'Stop',
    entry: { hooks: [{ type: 'command', command: hookOf('qwen') }] },
    servers: {},
  },
  droid: {
    event: 'Stop',
    entry: { hooks: [{ type: 'command', command: hookOf('droid'), timeout: 30 }] },
    servers: {
      '.factory/mcp.json': { mcpServers: { conduct: { type: 'stdio', command: 'conduct-ledger', args: ['mcp'] } } },
    },
  },
}

for (const { name, title, hooks, servers } of installs) {
  test(`${title} gets hooks and an MCP server in its own format, and no other agent does`, async (t) => {
    const { read, filesNow, init } = project(t)
    const { code, stderr } = await init('--agents', name)
    assert.deepEqual([code, stderr], [0, ''])
    const form = forms[name]
    if ('text' in hooks) assert.equal(read(hooks.path), hooks.text)
    else assert.deepEqual(JSON.parse(read(hooks.path)).hooks[form?.event ?? ''], [form?.entry])
    for (const [path, config] of Object.entries(form?.servers ?? {})) {
      assert.deepEqual(path.endsWith('.toml') ? read(path) : JSON.parse(read(path)), config)
    }
    const own = [hooks.path, ...servers.map(({ path }) => path), ...(name === 'gemini' ? ['GEMINI.md'] : [])]
    assert.deepEqual(Object.keys(filesNow()).sort(), [...new Set([...own, 'AGENTS.md', 'conduct.json'])].sort())
    assert.match(read('AGENTS.md'), new RegExp(`^- Hooks record each session of ${title}: `, 'm'))
    assert.equal((await init('--remove', '--agents', name)).code, 0)
    assert.deepEqual(
      Object.keys(filesNow()).filter((path) => !path.endsWith('.md')),
      ['conduct.json'],
    )
    assert.match(
      read('AGENTS.md'),
      /^- This project registers no hooks\. Unless a plugin of Conduct records your session: Call start_run/m,
    )
    assert.equal((await init('--remove')).code, 0)
    assert.deepEqual(filesNow(), {})
  })
}

test('a file with both hooks and MCP servers keeps everything else in it', async (t) => {
  const mine = '{\n  // mine\n  "theme": "dark",\n  "mcpServers": { "files": { "command": "files" } }\n}\n'
  const { read, filesNow, init } = project(t, { '.gemini/settings.json': mine })
  assert.equal((await init('--agents', 'gemini')).code, 0)
  assert.match(
    read('.gemini/settings.json'),
    /\/\/ mine[\s\S]*"files"[\s\S]*"conduct": \{[\s\S]*conduct-ledger hook gemini/,
  )
  assert.equal((await init('--remove')).code, 0)
  assert.deepEqual(JSON.parse(filesNow()['.gemini/settings.json']?.replace('// mine', '') ?? ''), {
    theme: 'dark',
    mcpServers: { files: { command: 'files' } },
  })
})

test('a new file of Qwen Code has the version that Qwen Code would add, and one of somebody else does not', async (t) => {
  const path = '.qwen/settings.json'
  const { read, filesNow, init } = project(t)
  for (const flags of [[], ['--no-hooks']]) {
    assert.equal((await init('--agents', 'qwen', ...flags)).code, 0)
    assert.deepEqual(Object.keys(JSON.parse(read(path))), ['$version', ...(flags[0] ? [] : ['hooks']), 'mcpServers'])
    assert.match((await init('--agents', 'qwen', ...flags)).stdout, /already up to date/)
    assert.equal((await init('--remove')).code, 0)
    assert.deepEqual(filesNow(), {})
  }
  // Qwen Code would take a file of an earlier form for one of this version.
  const theirs = project(t, { [path]: '{ "theme": "Dracula" }\n' })
  assert.equal((await theirs.init('--agents', 'qwen')).code, 0)
  assert.deepEqual(Object.keys(JSON.parse(theirs.read(path))), ['theme', 'hooks', 'mcpServers'])
})

test('a file with nothing but a comment beside our entries stays with its comment', async (t) => {
  const { filesNow, init } = project(t, { '.mcp.json': '// Servers of the team.\n{}\n' })
  assert.equal((await init('--agents', 'claude')).code, 0)
  assert.equal((await init('--remove')).code, 0)
  assert.deepEqual(filesNow(), { '.mcp.json': '// Servers of the team.\n{\n}\n' })
})

test('a comment within the hooks stays, and its file, when ours go', async (t) => {
  const { filesNow, init } = project(t, {
    '.claude/settings.json': '{\n  "hooks": {\n    // The hooks of the team.\n  }\n}\n',
  })
  assert.equal((await init('--agents', 'claude')).code, 0)
  assert.equal((await init('--remove')).code, 0)
  assert.match(filesNow()['.claude/settings.json'] ?? '', /\/\/ The hooks of the team\./)
})

test('a byte order mark stays where an editor of Windows put it', async (t) => {
  const mine = '\ufeff{ "model": "opus" }\n'
  const { read, filesNow, init } = project(t, {
    '.claude/settings.json': mine,
    'package.json': '\ufeff{ "scripts": { "test": "vitest run" } }\n',
  })
  const { code, stderr } = await init('--agents', 'claude')
  assert.equal(code, 0, stderr)
  assert.match(read('.claude/settings.json'), /^\ufeff\{\s+"model": "opus",[\s\S]*conduct-ledger hook claude/)
  assert.deepEqual(JSON.parse(read('conduct.json')).checks, { tests: 'npm test' })
  assert.equal((await init('--remove')).code, 0)
  const left = filesNow()['.claude/settings.json'] ?? ''
  assert.deepEqual([left[0], JSON.parse(left.slice(1))], ['\ufeff', { model: 'opus' }])
})

test('what an agent keeps beside its hooks stays there', async (t) => {
  const mine = '{ "hooks": { "enabled": true, "disabled": ["lint"] } }\n'
  const { read, filesNow, init } = project(t, { '.gemini/settings.json': mine })
  const { code, stderr } = await init('--agents', 'gemini')
  assert.equal(code, 0, stderr)
  const { enabled, disabled, BeforeTool } = JSON.parse(read('.gemini/settings.json')).hooks
  assert.deepEqual([enabled, disabled, BeforeTool.length], [true, ['lint'], 1])
  assert.equal((await init('--remove')).code, 0)
  assert.deepEqual(JSON.parse(filesNow()['.gemini/settings.json'] ?? ''), JSON.parse(mine))
})

test('init writes to an existing opencode.jsonc, and keeps a foreign plugin of our name', async (t) => {
  const { read, filesNow, init } = project(t, { 'opencode.jsonc': '{\n  // mine\n  "theme": "dark"\n}\n' })
  assert.equal((await init('--agents', 'opencode')).code, 0)
  assert.match(read('opencode.jsonc'), /\/\/ mine[\s\S]*"mcp": \{\s+"conduct": \{/)
  assert.ok(!('opencode.json' in filesNow()))
  const mine = { '.opencode/plugins/conduct.js': 'export const Mine = async () => ({})\n' }
  const other = project(t, mine)
  const { code, stderr } = await other.init('--agents', 'opencode')
  assert.equal(code, 2)
  assert.match(stderr, /plugins\/conduct\.js: it is not the plugin of Conduct.* move it first\. Nothing was written/)
  await other.init('--remove')
  assert.deepEqual(other.filesNow(), mine)
})

test('GEMINI.md gets the block, because Gemini CLI does not read AGENTS.md, unless it includes it', async (t) => {
  const { read, init } = project(t, { 'GEMINI.md': '# G\n' })
  assert.equal((await init('--agents', 'gemini')).code, 0)
  assert.match(read('GEMINI.md'), /^# G\n\n<!-- conduct:begin -->\n[\s\S]*conduct check exec/)
  const taken = project(t, { 'GEMINI.md': '@./AGENTS.md\n' })
  assert.equal((await taken.init('--agents', 'gemini')).code, 0)
  assert.equal(taken.read('GEMINI.md'), '@./AGENTS.md\n')
})

test('without an agent, no text claims that sessions record themselves', async (t) => {
  const { env, read, filesNow, init } = project(t)
  env.PATH = '/usr/bin:/bin'
  const { code, stdout } = await init()
  assert.equal(code, 0)
  assert.match(stdout, /^not found: Claude Code \(--agents claude\), Codex /m)
  assert.match(stdout, /init found no coding agent, so no session will be recorded/)
  assert.deepEqual(Object.keys(filesNow()).sort(), ['AGENTS.md', 'conduct.json'])
  assert.match(read('AGENTS.md'), /^- This project registers no hooks\./m)
  await init('--agents', 'codex', '--no-hooks')
  assert.match(read('AGENTS.md'), /^- This project registers no hooks\./m)
  await init('--agents', 'codex')
  await init('--agents', 'cursor')
  assert.match(read('AGENTS.md'), /^- Hooks record each session of Codex and Cursor: /m)
  await init('--remove', '--agents', 'codex')
  assert.match(read('AGENTS.md'), /^- Hooks record each session of Cursor: /m)
})

test('--user adds hooks only to the settings of the user, follows their links, and can remove them', async (t) => {
  const { home, cwd, env, filesNow, init } = project(t)
  env.PATH = '/usr/bin:/bin'
  writeFiles(home, { 'dotfiles/claude.json': '{ "model": "opus" }\n' })
  mkdirSync(join(home, '.claude'))
  symlinkSync('../dotfiles/claude.json', join(home, '.claude/settings.json'))
  const { code, stdout } = await init('--user', '--agents', 'claude,copilot')
  assert.equal(code, 0)
  assert.match(stdout, /^changed {2}\.claude\/settings\.json\nwrote {4}\.copilot\/hooks\/conduct\.json$/m)
  const settings = () => JSON.parse(readFileSync(join(home, 'dotfiles/claude.json'), 'utf8'))
  assert.deepEqual(Object.keys(settings()), ['model', 'hooks'])
  assert.deepEqual(filesNow(), {}, cwd)
  assert.match((await init('--user', '--agents', 'claude,copilot')).stdout, /already up to date/)
  assert.equal((await init('--user', '--remove')).code, 0)
  assert.deepEqual(settings(), { model: 'opus' })
  assert.ok(!existsSync(join(home, '.copilot')))
  for (const flags of [['--project', 'a'], ['--no-hooks']]) {
    const refused = await init('--user', ...flags)
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /--user writes hooks only, and no project/)
  }
})

test('--user says only what applies to hooks of a user', async (t) => {
  const { home, init } = project(t)
  mkdirSync(join(home, '.cursor'))
  const { stdout } = await init('--user', '--agents', 'claude,cursor,opencode')
  assert.match(stdout, /^Claude Code asks whether you trust a folder/m)
  assert.match(stdout, /^OpenCode loads .* 64 MB, into ~\/\.config\/opencode\b/m)
  assert.match(stdout, /^The hooks run conduct-ledger, /m)
  assert.doesNotMatch(stdout, /MCP server|conduct init --user|\.opencode|teammate|hooks of a project/)
})

const paths = ['conduct.json', 'AGENTS.md', 'GEMINI.md', 'CLAUDE.md'].concat(
  installs.flatMap(({ hooks, servers }) => [hooks.path, ...servers.map(({ path }) => path)]),
)
const targets: [where: string, target: (home: string) => string][] = [
  ['a file of the user', (home) => join(home, 'elsewhere/file')],
  ['what git runs', () => '.git/hooks/pre-commit'],
]

for (const [where, target] of targets) {
  test(`init writes no file through a link to ${where}`, async (t) => {
    for (const path of new Set(paths)) {
      const own = installs.find(({ hooks }) => 'text' in hooks && hooks.path === path)?.hooks
      const old = own && 'text' in own ? `${own.text}// of an older version\n` : '{}'
      const text = path === 'conduct.json' ? '{ "project": "other" }' : path.endsWith('.toml') ? '' : old
      const { home, cwd, init, filesNow } = project(t, { '.git/hooks/pre-commit': text })
      writeFiles(home, { 'elsewhere/file': text })
      mkdirSync(dirname(join(cwd, path)), { recursive: true })
      const up = dirname(path) === '.' ? '' : '../'.repeat(path.split('/').length - 1)
      const to = target(home)
      symlinkSync(to.startsWith('/') ? to : up + to, join(cwd, path))
      const before = filesNow()
      const { code, stderr } = await init('--project', 'shop', '--agents', installs.map(({ name }) => name).join(','))
      // Every command that reads conduct.json refuses this link.
      const isRefused = path === 'conduct.json' && to.startsWith('/')
      assert.equal(code, isRefused ? 1 : 2, path)
      const why = /leads through a link to .*, outside the project: .*Nothing was written/
      assert.match(stderr, isRefused ? /conduct\.json leads through a link out of/ : why)
      assert.deepEqual(filesNow(), before, path)
      assert.equal(readFileSync(join(home, 'elsewhere/file'), 'utf8'), text)
    }
  })
}

test('init does not write into a folder that is a link out of the project', async (t) => {
  const { home, cwd, init } = project(t)
  writeFiles(home, { 'elsewhere/settings.json': '{}\n' })
  symlinkSync(join(home, 'elsewhere'), join(cwd, '.claude'))
  const { code, stderr } = await init('--agents', 'claude')
  assert.equal(code, 2)
  assert.match(stderr, /leads through a link to .*, outside the project/)
  assert.equal(readFileSync(join(home, 'elsewhere/settings.json'), 'utf8'), '{}\n')
})

test('Claude Code waits for the hook that takes the tree before a command', () => {
  const hooks = installs.find(({ name }) => name === 'claude')?.hooks
  assert.ok(hooks && 'entry' in hooks)
  assert.doesNotMatch(JSON.stringify(hooks.entry(hookLine('claude', hooks, true), 'PreToolUse')), /async/)
})
