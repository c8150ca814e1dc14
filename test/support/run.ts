import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'
import { root } from './built.ts'
import { isProof, nameOf, type Proved, proofs, shareOf, tableOf } from './proofs.ts'
import { globalSetup, globalTeardown } from './setup.ts'
import { quickStarts, startsOf } from './together.ts'

// `npm test`: lint, types and tests beside each other. `npm run check`: those of rules and nouns alone, on SQLite.
// `npm run test:all -- test/run.test.ts`: these tests, or all.
// `npm run proof kill events`: the proofs of these names, or all, at full size; `-- --share 0.1`: at a tenth of it.
// `npm run proof import-v0 FOLDER`: a proof about something in that folder.

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    tests: { type: 'boolean', default: false },
    proof: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    share: { type: 'string', default: '1' },
  },
})

const isFolder = (word: string) => !isProof(word) && statSync(word, { throwIfNoEntry: false })?.isDirectory()
const folder = values.proof ? words.find(isFolder) : undefined
const positionals = words.filter((word) => word !== folder)
if (folder !== undefined) process.env.CONDUCT_PROOF_FOLDER = resolve(folder)

const cache = join(root, 'node_modules/.cache/conduct')
const durations = join(cache, 'durations.json')
mkdirSync(cache, { recursive: true })
process.chdir(root)
// The tests and what they start compile each file once.
process.env.NODE_COMPILE_CACHE ??= join(cache, 'compiled')
// tsc, which has a few seconds to live, collects garbage less often.
process.env.GOGC ??= '400'
if (values.check) process.env.CONDUCT_TEST_ENGINES ??= 'sqlite'
if (values.proof) {
  process.env.CONDUCT_PROOF = shareOf(values.share)
  process.env.CONDUCT_TEST_SEED ??= String(Date.now() % 1_000_000)
}

/** What a tool of node_modules says where it finds a fault, else nothing. */
async function toolOf(name: string, ...args: string[]): Promise<string> {
  const child = spawn(join(root, 'node_modules/.bin', name), args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      said += piece
    })
  }
  const [code] = await once(child, 'close')
  return code === 0 ? '' : `${name} found faults:\n${said}\n`
}

function filesToRun(): string[] {
  if (values.proof) return proofs(positionals)
  if (positionals.length > 0) return positionals
  return longestFirst(starts().map((path) => relative(root, resolve(root, path))))
}

function starts(): string[] {
  if (values.check) return quickStarts(join(cache, 'quick'))
  const files = globSync('test/**/*.test.ts', { cwd: root }).sort()
  return startsOf(files, join(cache, 'together'))
}

/** By how long they took last time, so that no long one is left for the end; of unknown ones first what is known to be slow. */
function longestFirst(paths: string[]): string[] {
  const known = lastDurations()
  const weight = (path: string) => known[path] ?? 1e9 + slow.findLastIndex((part) => path.includes(part))
  return paths.toSorted((a, b) => weight(b) - weight(a))
}

/** Parts of the paths of slow files, the slowest last. Those that mostly wait for processes have others run beside them. */
const slow = [
  '/cli/',
  '/together/',
  'package',
  'generated',
  'cli_people',
  'cli_servers',
  'cli_sessions',
  'cli_hooks',
  'cli_commands',
  'cli_work',
]

function lastDurations(): Record<string, number> {
  try {
    return JSON.parse(readFileSync(durations, 'utf8'))
  } catch {
    return {}
  }
}

/** Runs test files, each in a process of its own unless `startsOf` put it into a group, and reports. Returns whether all passed. */
async function test(files: string[]): Promise<boolean> {
  const taken = lastDurations()
  let passed = true
  const stream = run({
    files: files.map((path) => resolve(root, path)),
    execArgv: ['--import', new URL('unhooked.ts', import.meta.url).href],
    // Some wait for clocks, disks and other processes.
    concurrency: values.proof ? 1 : availableParallelism() + (values.check ? 0 : 2),
    // A file that hangs fails, and the others are reported.
    timeout: values.proof ? 3 * 3_600_000 : 1_800_000,
  })
  const now: [path: string, ms: number][] = []
  stream.on('test:summary', ({ file, success, duration_ms }) => {
    if (!success) passed = false
    if (file?.startsWith(root)) now.push([file.slice(root.length), Math.round(duration_ms)])
  })
  const proved = values.proof ? collect(stream, files) : undefined
  stream.compose(spec).pipe(process.stdout)
  await once(stream, 'end')
  if (proved) {
    const table = tableOf([...proved].map(([path, one]) => [nameOf(relative(root, path)), one]))
    process.stdout.write(`\n${table}\nseed ${process.env.CONDUCT_TEST_SEED}\n`)
    return passed
  }
  writeFileSync(durations, JSON.stringify({ ...taken, ...Object.fromEntries(now) }, null, 1))
  if (now.length > 1) process.stdout.write(slowestOf(now))
  return passed
}

/** What each file shows, filled while the tests run: what its tests say of themselves, and those that fail. */
function collect(stream: ReturnType<typeof run>, files: string[]): Map<string, Proved> {
  const proved = new Map(files.map((path): [string, Proved] => [resolve(root, path), { passed: false, showed: [] }]))
  const say = (file: string | undefined, line: string) => proved.get(file ?? '')?.showed.push(line)
  stream.on('test:diagnostic', ({ file, message }) => say(file, message))
  stream.on('test:fail', ({ file, name }) => say(file, `failed: ${name}`))
  stream.on('test:summary', ({ file, success, duration_ms, counts }) => {
    const one = proved.get(file ?? '')
    if (!one) return
    one.seconds = duration_ms / 1000
    one.passed = success
    one.showed.unshift(`${counts.passed} of ${counts.tests} tests passed`)
  })
  return proved
}

/** Where the time went: several files run at once, so these add up to more than the whole. */
function slowestOf(files: [path: string, ms: number][]): string {
  const slowest = files.toSorted(([, a], [, b]) => b - a).slice(0, 10)
  return `slowest files:\n${slowest.map(([path, ms]) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${path}\n`).join('')}`
}

const testsOnly = values.tests || values.proof || positionals.length > 0
const checks = testsOnly
  ? []
  : [
      toolOf('biome', 'ci', '--error-on-warnings'),
      // By default it has four checkers, of which each derives types that another has derived.
      toolOf('tsc', '--singleThreaded', '--incremental', '--tsBuildInfoFile', join(cache, 'types')),
    ]
const files = filesToRun()
// A run within another, as the test of this file is, has its ledgers.
if (!process.env.CONDUCT_TEST_SQLITE) await globalSetup()
process.once('SIGINT', () => globalTeardown().finally(() => process.exit(130)))
const passed = await test(files).finally(globalTeardown)
const faults = (await Promise.all(checks)).filter((said) => said !== '')
for (const said of faults) process.stderr.write(said)
process.exitCode = passed && faults.length === 0 ? 0 : 1
