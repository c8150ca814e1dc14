import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** What each part of src/ may import: other parts (`src` means the files at its root) and packages. */
const allowed: Record<string, { parts: string[]; packages: string[] }> = {
  src: { parts: ['src', 'api', 'ledger'], packages: [] },
  // Formats that other programs read, and words that every front end shows. Browsers load them, too.
  format: { parts: ['format'], packages: [] },
  api: { parts: ['api', 'ledger', 'format'], packages: ['zod'] },
  ledger: { parts: ['ledger'], packages: [] },
  store: { parts: ['api', 'ledger', 'store'], packages: ['pg', 'sql-template-tag'] },
  webhook: { parts: ['src', 'ledger', 'webhook'], packages: ['ipaddr.js'] },
  // Sessions of agents that send their hooks to the server.
  hooks: { parts: ['api', 'ledger', 'agents', 'recorder', 'store', 'hooks'], packages: ['sql-template-tag'] },
  jobs: { parts: ['ledger', 'store', 'hooks', 'webhook', 'jobs'], packages: ['sql-template-tag'] },
  // zod, because it reads the schemas of the table, to print them and to explain wrong values.
  http: {
    parts: ['src', 'api', 'ledger', 'store', 'agents', 'hooks', 'mask', 'webhook', 'jobs', 'http'],
    packages: ['hono', 'rate-limiter-flexible', 'pino', 'zod'],
  },
  client: { parts: ['client'], packages: [] },
  // zod, because it prints the input schemas of the tools.
  mcp: {
    parts: ['src', 'api', 'ledger', 'format', 'client', 'mcp'],
    packages: ['@modelcontextprotocol/server', 'zod'],
  },
  agents: { parts: ['agents'], packages: ['@pydantic/genai-prices'] },
  // Pure: what hooks report, turned into calls.
  recorder: { parts: ['ledger', 'agents', 'recorder'], packages: [] },
  web: { parts: ['client', 'format', 'web'], packages: ['preact', 'marked', 'uplot', 'anser', 'diff'] },
  mask: {
    parts: ['ledger', 'mask'],
    packages: ['@secretlint/core', '@secretlint/profiler', '@secretlint/secretlint-rule-preset-recommend'],
  },
  spool: { parts: ['src', 'api', 'ledger', 'client', 'agents', 'spool'], packages: [] },
  cli: {
    parts: ['src', 'api', 'ledger', 'format', 'client', 'mcp', 'spool', 'agents', 'recorder', 'mask', 'cli'],
    // zod, because it reads the schemas of the table, to derive flags from them.
    packages: ['commander', 'zod', 'cli-table3', 'diff', 'jsonc-parser', '@decimalturn/toml-patch', '@clack/prompts'],
  },
}

/** Files and folders, with what they may import in addition. */
const exceptions: Record<string, string[]> = {
  // The server's own MCP endpoint calls the app as every client does.
  'server/handlers/mcp.ts': ['mcp'],
  // These two connect the server and the database.
  'cli/commands/serve.ts': ['http', 'store', 'pino'],
  'place/connect.ts': ['http', 'store'],
  // The readers of command lines: hooks do not load them.
  'capture/command/checked.ts': ['unbash'],
  'capture/command/line-commands.ts': ['unbash'],
  'capture/command/shell-state.ts': ['unbash'],
  // Rules throw errors, and use types of the contract.
  ledger: ['contract/error.ts'],
  // Recordings that are not sent yet must be as durable as the ledger itself, and safe for many processes.
  'capture/spool/database.ts': ['node:sqlite'],
  client: ['contract/paths.ts', 'contract/error.ts'],
  'web/vite.config.ts': ['vite'],
}

/** Files that import nothing at all. */
const bare = ['contract/paths.ts', 'contract/error.ts']

interface Import {
  from: string
  to: string
  typeOnly: boolean
}

const folder = fileURLToPath(new URL('../src', import.meta.url))
const files = globSync('**/*.{ts,tsx}', { cwd: folder })
const imports: Import[] = files.flatMap((from) => {
  const text = readFileSync(join(folder, from), 'utf8')
  const found = text.matchAll(/^\s*(import|export)\s+(type\s)?[^'"]*?from\s*'([^']+)'|import\('([^']+)'\)/gm)
  return [...found].map(([, , type, named, dynamic]) => {
    const target = named ?? dynamic ?? ''
    return { from, to: target.startsWith('.') ? join(dirname(from), target) : target, typeOnly: type !== undefined }
  })
})

const partOf = (path: string) => (path.includes('/') ? (path.split('/')[0] as string) : 'src')
const packageOf = (name: string) => name.split('/', name.startsWith('@') ? 2 : 1).join('/')
const isBuiltin = (name: string) =>
  name.startsWith('node:') && (builtinModules.includes(name.slice(5)) || name === 'node:sqlite')

function isAllowed({ from, to, typeOnly }: Import): boolean {
  const { parts, packages } = allowed[partOf(from)] ?? { parts: [], packages: [] }
  const more = exceptions[from] ?? exceptions[partOf(from)] ?? []
  if (to.startsWith('node:'))
    return (
      isBuiltin(to) &&
      !['client', 'format', 'web'].includes(partOf(from)) &&
      (to !== 'node:sqlite' || partOf(from) === 'store' || more.includes(to))
    )
  if (!files.includes(to)) return packages.includes(packageOf(to)) || more.includes(packageOf(to))
  const isTyped = typeOnly && ['client', 'web', 'agents', 'recorder', 'ledger'].includes(partOf(from))
  return parts.includes(partOf(to)) || more.includes(to) || more.includes(partOf(to)) || isTyped
}

test('every import follows the layers', () => {
  assert.ok(imports.length > files.length)
  const wrong = imports.filter((one) => !isAllowed(one)).map(({ from, to }) => `${from} imports ${to}`)
  assert.deepEqual(wrong, [])
  assert.deepEqual(
    imports.filter(({ from }) => bare.includes(from)),
    [],
  )
})

test('no file imports itself through other files', () => {
  const next = new Map(
    files.map((file) => [file, imports.filter(({ from, typeOnly }) => from === file && !typeOnly).map(({ to }) => to)]),
  )
  const done = new Set<string>()
  const visit = (file: string, path: string[]) => {
    assert.ok(!path.includes(file), [...path, file].join(' → '))
    if (done.has(file)) return
    for (const to of next.get(file) ?? []) visit(to, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
})
