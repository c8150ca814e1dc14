import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parse as parseToml } from '@decimalturn/toml-patch'
import { jsonIn } from '../../place/foreign.ts'
import { fieldsOf, type JsonFields } from '../../recorder/agents/fields.ts'
import { readText } from './edit.ts'

/** Names of checks and their commands, as in conduct.json. */
export type Checks = Record<string, string | string[]>

/** The words that projects use for each check, in scripts and in targets; the first that is there counts. */
const words: Record<string, readonly string[]> = {
  tests: ['test', 'tests', 'check'],
  lint: ['lint'],
  types: ['types', 'typecheck', 'type-check', 'check-types', 'tsc'],
  build: ['build'],
}

/**
 * The checks that a project's own files mention: package.json, pyproject.toml, Cargo.toml, go.mod, Makefile and mise.toml.
 * A file that cannot be parsed is skipped. Commands of one name stand for each other, so the tests of a second language
 * have a name of their own, unless a target runs both.
 */
export function proposedChecks(root: string): Checks {
  const has = (name: string) => existsSync(join(root, name))
  const read = (sources: Source[]) =>
    sources.map(({ file, suffix, read }) => {
      try {
        const text = readText(join(root, file))
        return { suffix, checks: text === undefined ? {} : read(text, has) }
      } catch {
        return { suffix, checks: {} }
      }
    })
  const [ofLanguages, ofTargets] = [read(languages), read(targets)]
  const proposed = Object.keys(words).flatMap((name): [string, string[]][] => {
    const own = ofLanguages.flatMap(({ suffix, checks }) => (checks[name] ? [{ suffix, commands: checks[name] }] : []))
    const [all] = ofTargets.flatMap(({ checks }) => (checks[name] ? [checks[name]] : []))
    if (all) return [[name, own.length === 1 ? [...all, ...own.flatMap(({ commands }) => commands)] : all]]
    return own.map(({ suffix, commands }, at) => [at === 0 ? name : `${name}-${suffix}`, commands])
  })
  return Object.fromEntries(
    proposed.map(([name, commands]) => [name, commands.length === 1 ? (commands[0] as string) : commands]),
  )
}

/** The names of the proposed checks that a verdict should need: all tests. */
export const proposedRequired = (checks: Checks): string[] =>
  Object.keys(checks).filter((name) => name === 'tests' || name.startsWith('tests-'))

/** One line for each check. */
export const checkLines = (checks: Checks) =>
  Object.entries(checks).map(([name, commands]) => `${name}: ${[commands].flat().join(', ')}`)

type Commands = Record<string, string[]>
type Has = (file: string) => boolean

interface Source {
  file: string
  /** What a name ends with if another source has it already. */
  suffix: string
  read(text: string, has: Has): Commands
}

const languages: Source[] = [
  {
    file: 'package.json',
    suffix: 'js',
    read: (text, has) => npmChecks(fieldsOf(fieldsOf(jsonIn(text)).scripts), has),
  },
  { file: 'pyproject.toml', suffix: 'python', read: (text) => pythonChecks(fieldsOf(parseToml(text))) },
  { file: 'Cargo.toml', suffix: 'rust', read: (text) => rustChecks(fieldsOf(parseToml(text))) },
  { file: 'go.mod', suffix: 'go', read: goChecks },
]

/** Files whose targets usually run the commands of the project's languages. */
const targets: Source[] = [
  { file: 'Makefile', suffix: 'make', read: makeChecks },
  { file: 'mise.toml', suffix: 'mise', read: (text) => miseChecks(fieldsOf(parseToml(text))) },
]

/** For each check, what `commandOf` gives for the first of its words. */
function named(commandOf: (word: string) => string | undefined): Commands {
  const found = Object.entries(words).flatMap(([name, all]): [string, string[]][] => {
    const [command] = all.flatMap((word) => commandOf(word) ?? [])
    return command === undefined ? [] : [[name, [command]]]
  })
  return Object.fromEntries(found)
}

const runners: [lockFile: string, program: string][] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
]

function npmChecks(scripts: JsonFields, has: Has): Commands {
  const program = runners.find(([lockFile]) => has(lockFile))?.[1] ?? 'npm'
  return named((word) => {
    const script = scripts[word]
    // The default script of `npm init` only says that there are no tests.
    if (typeof script !== 'string' || script.includes('no test specified')) return undefined
    // `bun test` is Bun's own test runner.
    return word === 'test' && program !== 'bun' ? `${program} test` : `${program} run ${word}`
  })
}

function makeChecks(text: string): Commands {
  const targets = new Set([...text.matchAll(/^([A-Za-z][\w-]*)\s*:(?!=)/gm)].map(([, target]) => target))
  return named((word) => (targets.has(word) ? `make ${word}` : undefined))
}

function miseChecks(file: JsonFields): Commands {
  const tasks = fieldsOf(file.tasks)
  return named((word) => (Object.hasOwn(tasks, word) ? `mise run ${word}` : undefined))
}

function pythonChecks(project: JsonFields): Commands {
  const tools = fieldsOf(project.tool)
  const isUsed = (name: string) => name in tools || new RegExp(`"${name}\\b`).test(JSON.stringify(project))
  const { testpaths } = fieldsOf(fieldsOf(tools.pytest).ini_options)
  const [folder, ...more] = [testpaths].flat()
  const isOnly = typeof folder === 'string' && more.length === 0 && /^[\w./-]+$/.test(folder)
  const pytest = ['pytest', ...(isOnly ? [`pytest ${folder}`, `pytest ${folder}/`] : [])]
  return {
    ...(isUsed('pytest') ? { tests: pytest } : isUsed('tox') ? { tests: ['tox'] } : {}),
    ...(isUsed('ruff') && { lint: ['ruff check'] }),
    ...(isUsed('mypy')
      ? { types: ['files' in fieldsOf(tools.mypy) ? 'mypy' : 'mypy .'] }
      : isUsed('pyright') && { types: ['pyright'] }),
  }
}

function rustChecks(project: JsonFields): Commands {
  const all = ['cargo test --workspace', 'cargo test --all']
  // Without a package of its own, a workspace tests all its members by default.
  const tests = 'workspace' in project ? [...('package' in project ? [] : ['cargo test']), ...all] : ['cargo test']
  return { tests, lint: ['cargo clippy', 'cargo clippy -- -D warnings'] }
}

function goChecks(_: string, has: Has): Commands {
  const isLinted = ['.golangci.yml', '.golangci.yaml', '.golangci.toml'].some(has)
  return { tests: ['go test ./...'], lint: [isLinted ? 'golangci-lint run' : 'go vet ./...'] }
}
