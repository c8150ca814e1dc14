import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parse as parseToml } from '@decimalturn/toml-patch'
import { type Fields, fieldsOf } from '../../agents/fields.ts'
import { readText } from './edit.ts'

/** Names of checks and the patterns of their commands, as in conduct.json. */
export type Checks = Record<string, string | string[]>

/** The words that projects use for each check, in scripts and in targets. */
const words: Record<string, readonly string[]> = {
  tests: ['test', 'tests', 'check'],
  lint: ['lint'],
  types: ['types', 'typecheck', 'type-check', 'check-types', 'tsc'],
  build: ['build'],
}

/**
 * The checks that a project's own files mention: package.json, Makefile, pyproject.toml, Cargo.toml and go.mod. A file
 * that cannot be parsed is skipped.
 */
export function proposedChecks(root: string): Checks {
  const has = (name: string) => existsSync(join(root, name))
  const found = sources.flatMap(([name, read]) => {
    try {
      const text = readText(join(root, name))
      return text === undefined ? [] : read(text, has)
    } catch {
      return []
    }
  })
  const byName = Map.groupBy(found, ([name]) => name)
  return Object.fromEntries(
    [...byName].map(([name, all]) => {
      const patterns = [...new Set(all.map(([, pattern]) => pattern))]
      return [name, patterns.length === 1 ? (patterns[0] as string) : patterns]
    }),
  )
}

/** One line for each check. */
export const checkLines = (checks: Checks) =>
  Object.entries(checks).map(([name, patterns]) => `${name}: ${[patterns].flat().join(', ')}`)

type Named = [name: string, pattern: string]
type Has = (file: string) => boolean

const sources: [file: string, read: (text: string, has: Has) => Named[]][] = [
  ['package.json', (text, has) => npmChecks(fieldsOf(fieldsOf(JSON.parse(text)).scripts), has)],
  ['Makefile', makeChecks],
  ['pyproject.toml', (text, has) => pythonChecks(fieldsOf(parseToml(text)), has)],
  [
    'Cargo.toml',
    () => [
      ['tests', 'cargo test*'],
      ['lint', 'cargo clippy*'],
    ],
  ],
  ['go.mod', goChecks],
]

const runners: [lockFile: string, program: string][] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
]

function npmChecks(scripts: Fields, has: Has): Named[] {
  const program = runners.find(([lockFile]) => has(lockFile))?.[1] ?? 'npm'
  return named((word) => {
    const script = scripts[word]
    // The default script of `npm init` only says that there are no tests.
    if (typeof script !== 'string' || script.includes('no test specified')) return []
    // `bun test` is Bun's own test runner.
    if (program === 'bun') return [`bun run ${word}`]
    if (word === 'test') return [`${program} test*`, `${program} run test`]
    return program === 'npm' ? [`npm run ${word}`] : [`${program} ${word}`, `${program} run ${word}`]
  })
}

function makeChecks(text: string): Named[] {
  const targets = new Set([...text.matchAll(/^([A-Za-z][\w-]*)\s*:(?!=)/gm)].map(([, target]) => target))
  return named((word) => (targets.has(word) ? [`make ${word}`] : []))
}

/** Names the patterns that `patternsOf` finds for each word after the check that the word stands for. */
const named = (patternsOf: (word: string) => string[]): Named[] =>
  Object.entries(words).flatMap(([name, all]) => all.flatMap(patternsOf).map((pattern): Named => [name, pattern]))

function pythonChecks(project: Fields, has: Has): Named[] {
  const tools = fieldsOf(project.tool)
  const isUsed = (name: string) => name in tools || new RegExp(`"${name}\\b`).test(JSON.stringify(project))
  const runner = has('uv.lock') ? 'uv run ' : has('poetry.lock') ? 'poetry run ' : undefined
  const both = (pattern: string) => (runner === undefined ? [pattern] : [pattern, runner + pattern])
  const all: [name: string, tool: string, patterns: string[]][] = [
    ['tests', 'pytest', [...both('pytest*'), 'python -m pytest*']],
    ['tests', 'tox', ['tox*']],
    ['lint', 'ruff', both('ruff check*')],
    ['types', 'mypy', both('mypy*')],
    ['types', 'pyright', both('pyright*')],
  ]
  return all.flatMap(([name, tool, patterns]) =>
    isUsed(tool) ? patterns.map((pattern): Named => [name, pattern]) : [],
  )
}

function goChecks(_: string, has: Has): Named[] {
  const isLinted = ['.golangci.yml', '.golangci.yaml', '.golangci.toml'].some(has)
  return [
    ['tests', 'go test*'],
    ['lint', 'go vet*'],
    ...(isLinted ? [['lint', 'golangci-lint run*'] satisfies Named] : []),
  ]
}
