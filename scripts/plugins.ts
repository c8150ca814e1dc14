import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hookLine } from '../src/cli/init/project-files.ts'
import type { JsonFields } from '../src/recorder/agents/fields.ts'
import { type HookFile, installs } from '../src/recorder/agents/install.ts'
import { root } from '../src/root.ts'
import { type Names, names } from './release/names.ts'
import { skills } from './skills.ts'

/** A plugin is a folder in the form that one host reads. */
interface Plugin {
  host: string
  /** Its name in `conduct hook`. Undefined for hosts whose plugins have no hooks. */
  agent?: string
  /** Files by their path in the folder. */
  files(about: JsonFields, hooks: JsonFields): Record<string, JsonFields>
}

const server = { command: 'conduct-ledger', args: ['mcp'] }
const servers = { mcpServers: { conduct: server } }
const agentPlugins = 'https://agent-plugins.org/schemas/1.0.0'

const plugins: Record<string, Plugin> = {
  claude: {
    host: 'Claude Code',
    agent: 'claude',
    files: (about, hooks) => ({
      '.claude-plugin/plugin.json': about,
      '.mcp.json': servers,
      'hooks/hooks.json': hooks,
    }),
  },
  codex: {
    host: 'Codex',
    agent: 'codex',
    files: (about, hooks) => ({
      '.codex-plugin/plugin.json': {
        ...about,
        skills: './skills/',
        mcpServers: './.mcp.json',
        hooks: './hooks/hooks.json',
      },
      '.mcp.json': servers,
      'hooks/hooks.json': hooks,
    }),
  },
  cursor: {
    host: 'Cursor',
    agent: 'cursor',
    files: (about, hooks) => ({
      '.cursor-plugin/plugin.json': about,
      'mcp.json': servers,
      'hooks/hooks.json': hooks,
    }),
  },
  gemini: {
    host: 'Gemini CLI',
    agent: 'gemini',
    files: ({ name, version, description }, hooks) => ({
      'gemini-extension.json': { name, version, description, ...servers },
      'hooks/hooks.json': hooks,
    }),
  },
  portable: {
    host: 'hosts of Agent Plugins 1.0',
    files: (about) => ({
      'plugin.json': { $schema: `${agentPlugins}/plugin.schema.json`, ...about },
      'mcp.json': { $schema: `${agentPlugins}/mcp.schema.json`, mcpServers: { conduct: { type: 'stdio', ...server } } },
    }),
  },
}

const { version, license, keywords } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as JsonFields
const description = 'Records your sessions in the Conduct ledger, and lets the agent search it.'
const authors = { name: 'The Conduct authors' }

/** The plugins, the catalogs that list them, and `server.json`, by their paths in the repository. */
export function pluginFiles(owned: Names = names): Record<string, string> {
  const about: JsonFields = {
    ...{ name: 'conduct', version, description, author: authors },
    ...(owned.repository !== null && { homepage: owned.repository, repository: owned.repository }),
    ...{ license, keywords },
  }
  const ofPlugins = Object.entries(plugins).flatMap(([name, { host, agent, files }]) =>
    [
      ...Object.entries(files(about, agent === undefined ? {} : hooksOf(agent))).map(([path, value]) => [
        path,
        json(value),
      ]),
      ...Object.entries(skills).map(([skill, text]) => [`skills/${skill}/SKILL.md`, text]),
      ['README.md', readme(host, agent !== undefined)],
    ].map(([path, text]): [string, string] => [`plugins/${name}/${path}`, String(text)]),
  )
  return { ...Object.fromEntries(ofPlugins), ...catalogs(), ...registryEntry(owned) }
}

/** The hooks that `conduct init` writes for that agent, without its other settings. */
function hooksOf(agent: string): JsonFields {
  const install = installs.find(({ name }) => name === agent)
  if (install === undefined || !('events' in install.hooks)) throw new Error(`${agent} has no hooks file`)
  const file: HookFile = install.hooks
  const line = hookLine(agent, file, true)
  return { ...file.also, hooks: Object.fromEntries(file.events.map((event) => [event, [file.entry(line, event)]])) }
}

/** What `claude plugin marketplace add`, `codex plugin marketplace add` and Cursor read at the root of the repository. */
function catalogs(): Record<string, string> {
  const listed = (source: unknown, more: JsonFields = {}) => ({ name: 'conduct', source, ...more })
  return {
    '.claude-plugin/marketplace.json': json({
      ...{
        name: 'conduct',
        owner: authors,
        description: 'The plugin of Conduct, the ledger of what coding agents did.',
      },
      plugins: [listed('./plugins/claude', { description })],
    }),
    '.agents/plugins/marketplace.json': json({
      ...{ name: 'conduct', interface: { displayName: 'Conduct' } },
      plugins: [
        listed(
          { source: 'local', path: './plugins/codex' },
          { policy: { installation: 'AVAILABLE', authentication: 'ON_INSTALL' }, category: 'Productivity' },
        ),
      ],
    }),
    '.cursor-plugin/marketplace.json': json({
      ...{ name: 'conduct', owner: authors },
      plugins: [listed('./plugins/cursor', { description })],
    }),
  }
}

/** The entry of the MCP registry, which accepts it only for a published package with the same `mcpName`. */
function registryEntry({ mcp, npm, repository }: Names): Record<string, string> {
  if (mcp === null || npm === null) return {}
  return {
    'server.json': json({
      $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
      ...{
        name: mcp,
        title: 'Conduct',
        description: 'Search and write the ledger of what coding agents did.',
        version,
      },
      ...(repository !== null && { repository: { url: repository, source: 'github' } }),
      packages: [
        {
          ...{ registryType: 'npm', identifier: npm, version, transport: { type: 'stdio' } },
          packageArguments: [{ type: 'positional', value: 'mcp' }],
        },
      ],
    }),
  }
}

/** package.json with the fields that follow from the names. */
export function withNames(manifest: JsonFields, { repository, mcp }: Names = names): JsonFields {
  const { repository: _, homepage: __, bugs: ___, mcpName: ____, ...rest } = manifest
  return {
    ...rest,
    ...(repository !== null && {
      ...{ homepage: repository, bugs: `${repository}/issues` },
      repository: { type: 'git', url: `git+${repository}.git` },
    }),
    ...(mcp !== null && { mcpName: mcp }),
  }
}

function readme(host: string, hasHooks: boolean): string {
  const records = hasHooks
    ? `Its hooks record each session in a project that has a \`conduct.json\`; \`conduct init\` writes one.
They are those of \`conduct init\`: if a project has both, each session is still one run.`
    : `It has no hooks, because this format has none: \`conduct init\` sets up those of your agent.`
  return `# Conduct for ${host}

Conduct is a self-hosted ledger of what coding agents did. This plugin has its MCP server and two
skills: record a check, and look up earlier work. ${hasHooks ? 'It also has hooks.' : ''}

${records}

The plugin runs the command \`conduct-ledger\`, which the npm package \`conduct-ledger\` installs.
Without it, hooks do nothing.
`.replace(/ +$/gm, '')
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

if (import.meta.main) {
  rmSync(join(root, 'plugins'), { recursive: true, force: true })
  rmSync(join(root, 'server.json'), { force: true })
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as JsonFields
  for (const [path, text] of Object.entries({ ...pluginFiles(), 'package.json': json(withNames(manifest)) })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}
