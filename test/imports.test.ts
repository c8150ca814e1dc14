import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

interface House {
  /** The houses below whose code it may run. Of all houses below, it may import types. */
  uses: string[]
  packages?: string[]
}

/** The houses of src/, from the ground up. No house imports one above it, not even a type. */
const houses: Record<string, House> = {
  // The files at the root of src/: what this package is and how it was started.
  src: { uses: [] },
  contract: { uses: [], packages: ['zod'] },
  // What differs between Windows and POSIX: every call that only one of them has.
  system: { uses: [] },
  text: { uses: ['contract'] },
  mask: {
    uses: ['contract'],
    packages: ['@secretlint/core', '@secretlint/profiler', '@secretlint/secretlint-rule-preset-recommend'],
  },
  engine: { uses: ['contract', 'system'], packages: ['pg', 'sql-template-tag'] },
  frame: { uses: ['contract', 'system', 'text', 'engine'], packages: ['sql-template-tag'] },
  log: { uses: ['contract', 'engine', 'frame'], packages: ['sql-template-tag', 'zod'] },
  nouns: { uses: ['contract', 'text', 'engine', 'frame', 'log'], packages: ['sql-template-tag', 'zod'] },
  find: { uses: ['contract', 'text', 'frame', 'log', 'nouns'], packages: ['sql-template-tag', 'zod'] },
  export: { uses: ['contract', 'engine', 'frame', 'log', 'nouns', 'find'], packages: ['sql-template-tag'] },
  removal: { uses: ['contract', 'frame', 'log', 'nouns', 'find'], packages: ['sql-template-tag', 'zod'] },
  operations: {
    uses: ['contract', 'engine', 'frame', 'log', 'nouns', 'find', 'export', 'removal'],
    packages: ['sql-template-tag', 'zod'],
  },
  client: { uses: ['contract'] },
  // Pure: what hooks and transcripts report, turned into calls.
  recorder: { uses: ['contract', 'text', 'nouns'], packages: ['@pydantic/genai-prices'] },
  mcp: {
    uses: ['src', 'contract', 'text', 'nouns', 'find', 'operations', 'client'],
    packages: ['@modelcontextprotocol/server', 'zod'],
  },
  server: {
    uses: [
      ...['src', 'contract', 'system', 'mask', 'engine', 'frame', 'log', 'nouns', 'find', 'export', 'removal'],
      ...['operations', 'recorder', 'mcp'],
    ],
    packages: ['hono', 'ipaddr.js', 'pino', 'rate-limiter-flexible', 'sql-template-tag', 'zod'],
  },
  terminal: { uses: ['src', 'contract', 'system'], packages: ['cli-table3', 'commander'] },
  // Where the work is and where the ledger is: git, profiles, the connection.
  place: {
    uses: ['contract', 'system', 'engine', 'nouns', 'export', 'operations', 'client', 'recorder', 'server', 'terminal'],
  },
  verify: { uses: ['contract', 'system', 'log', 'client', 'terminal', 'place'] },
  capture: {
    uses: [
      ...['src', 'contract', 'system', 'text', 'mask', 'engine', 'nouns', 'operations', 'client', 'recorder'],
      ...['terminal', 'place', 'verify'],
    ],
    packages: ['commander', 'diff', 'unbash', 'zod'],
  },
  cli: {
    uses: [
      ...['src', 'contract', 'system', 'text', 'mask', 'nouns', 'export', 'operations', 'client', 'recorder', 'mcp'],
      ...['server', 'terminal', 'place', 'verify', 'capture'],
    ],
    packages: [
      'commander',
      'zod',
      'diff',
      'jsonc-parser',
      'pino',
      '@clack/prompts',
      '@decimalturn/toml-patch',
      'csv-parse',
      'pgsql-ast-parser',
    ],
  },
  web: {
    uses: ['contract', 'client'],
    packages: ['preact', 'marked', 'uplot', 'anser', 'diff', 'highlight.js', 'lowlight', 'vite'],
  },
}

/** Houses that run outside the server, and so without SQL, except where these files open a ledger. */
const withoutSql = ['client', 'recorder', 'mcp', 'terminal', 'place', 'verify', 'capture', 'cli', 'web']
const opening = ['place/connect.ts', 'cli/commands/serve.ts']

/** Houses that browsers load. */
const inBrowsers = ['client', 'web']

/** Who may use SQLite itself. */
const onSqlite = /^engine\/sqlite|^capture\/spool\/database\.ts$/

/** Files that import nothing at all. */
const bare = ['contract/paths.ts', 'contract/error.ts']

/** The nouns, from the ground up: the SQL of one may use that of those before it; fields and rules are anybody's. */
const nouns = ['project', 'key', 'spec', 'feature', 'run', 'webhook']

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
const isFile = new Set(files)
/** What each file loads. */
const loads = Map.groupBy(
  imports.filter(({ typeOnly }) => !typeOnly),
  ({ from }) => from,
)

const order = Object.keys(houses)
const houseOf = (path: string) => (path.includes('/') ? (path.split('/')[0] as string) : 'src')
const floorOf = (path: string) => order.indexOf(houseOf(path))
const packageOf = (name: string) => name.split('/', name.startsWith('@') ? 2 : 1).join('/')
const lines = (wrong: Import[]) => wrong.map(({ from, to }) => `${from} imports ${to}`)

/** Whether a file runs SQL, itself or by what it loads. */
const sqlFiles = new Map<string, boolean>()
function runsSql(file: string): boolean {
  const known = sqlFiles.get(file)
  if (known !== undefined) return known
  sqlFiles.set(file, false)
  const does = (loads.get(file) ?? []).some(({ to }) => to === 'sql-template-tag' || runsSql(to))
  sqlFiles.set(file, does)
  return does
}

test('every file is in a house, and no house imports one above it', () => {
  assert.ok(imports.length > files.length)
  assert.deepEqual(
    files.filter((file) => floorOf(file) < 0),
    [],
  )
  const inside = imports.filter(({ to }) => isFile.has(to))
  assert.deepEqual(lines(inside.filter(({ from, to }) => floorOf(to) > floorOf(from))), [])
  const wrong = inside.filter(
    ({ from, to, typeOnly }) =>
      !typeOnly && houseOf(from) !== houseOf(to) && !houses[houseOf(from)]?.uses.includes(houseOf(to)),
  )
  assert.deepEqual(lines(wrong), [])
  assert.deepEqual(
    imports.filter(({ from }) => bare.includes(from)),
    [],
  )
})

test('every house uses its own packages', () => {
  const outside = imports.filter(({ to }) => !isFile.has(to) && !to.startsWith('.'))
  const wrong = outside.filter(({ from, to }) => {
    if (!to.startsWith('node:')) return !houses[houseOf(from)]?.packages?.includes(packageOf(to))
    if (to === 'node:sqlite') return !onSqlite.test(from)
    return !builtinModules.includes(to.slice(5)) || inBrowsers.includes(houseOf(from))
  })
  assert.deepEqual(
    lines(wrong).filter((line) => !line.startsWith('web/vite.config.ts imports node:')),
    [],
  )
})

test('SQL runs in the server alone, and where a command opens a ledger', () => {
  const wrong = imports.filter(
    ({ from, to, typeOnly }) =>
      !typeOnly &&
      withoutSql.includes(houseOf(from)) &&
      !withoutSql.includes(houseOf(to)) &&
      !opening.includes(from) &&
      runsSql(to),
  )
  assert.deepEqual(lines(wrong), [])
})

test('the SQL of a noun uses that of nouns before it', () => {
  const nounOf = (path: string) => nouns.indexOf(path.split('/')[1] ?? '')
  const among = imports.filter(({ from, to }) => houseOf(from) === 'nouns' && houseOf(to) === 'nouns')
  assert.deepEqual(
    files.filter((file) => houseOf(file) === 'nouns' && nounOf(file) < 0),
    [],
  )
  assert.deepEqual(lines(among.filter(({ from, to }) => nounOf(to) > nounOf(from) && runsSql(to))), [])
})

test('no file imports itself through other files', () => {
  const done = new Set<string>()
  const visit = (file: string, path: string[]) => {
    assert.ok(!path.includes(file), [...path, file].join(' → '))
    if (done.has(file)) return
    for (const { to } of loads.get(file) ?? []) visit(to, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
})

test('a type that a file exports has a name of its own', () => {
  const exporters = new Map<string, string[]>()
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8')
    for (const [, name = ''] of text.matchAll(/^export (?:type|interface|class) (\w+)/gm)) {
      exporters.set(name, [...(exporters.get(name) ?? []), file])
    }
  }
  assert.deepEqual(
    [...exporters].filter(([, some]) => some.length > 1),
    [],
  )
})
