import type { Input } from '../../client/client.ts'

type File = NonNullable<Input<'appendTurn'>['files']>[number]
type Diff = Input<'addDiffs'>['diffs'][number]

/**
 * Lines of a language, as a session might write them: before and after the change, and those that it adds and removes.
 * `{n}` stands for a number, and `{name}` for what the session is about.
 */
interface Language {
  before: string
  added: readonly string[]
  removed: readonly string[]
  after: string
}

const script: Language = {
  before: "import { find, keep, nothing } from './parts.ts'",
  added: [
    'export function {name}{n}(input: Input): Result {',
    '  const found = find(input, {n})',
    '  if (!found) return nothing',
    "  return keep({ ...found, by: '{name}' })",
    '}',
    '',
  ],
  removed: ['export const old{n} = later(({ id }) => id)', '// Not used since step {n}.'],
  after: 'export default { find, keep }',
}

const languages: Record<string, Language> = {
  sh: {
    before: 'set -euo pipefail',
    added: ['{name}{n}() {', '  run "$1" --step {n} || return 1', '  log "{name}: step {n} done"', '}', ''],
    removed: ['old{n}() { run "$1"; }', '# Not used since step {n}.'],
    after: 'main "$@"',
  },
  yaml: {
    before: 'steps:',
    added: ['  - name: {name}{n}', '    run: deploy/check.sh {n}', '    timeout: 10m'],
    removed: ['  - run: deploy/old.sh {n}', '    # Not used since step {n}.'],
    after: '# The rest is the same for all environments.',
  },
}

const languageOf = (path: string) => languages[path.slice(path.lastIndexOf('.') + 1)] ?? script

/** What a turn wrote, with as many lines as its files say. */
export const diffsOf = (files: readonly File[] = [], title = ''): Diff[] =>
  files.map(({ path, insertions = 0, deletions = 0 }) => ({
    path,
    change: {
      ...{ status: 'modified', insertions, deletions },
      patch: patchOf(languageOf(path), nameOf(title), insertions, deletions),
    },
  }))

/** One hunk between lines that stay. */
function patchOf({ before, added, removed, after }: Language, name: string, insertions: number, deletions: number) {
  const head = `@@ -1,${deletions + 2} +1,${insertions + 2} @@`
  const body = [...lines(removed, deletions, '-', name), ...lines(added, insertions, '+', name)]
  return [head, ` ${before}`, ...body, ` ${after}`, ''].join('\n')
}

const lines = (from: readonly string[], count: number, mark: '+' | '-', name: string) =>
  Array.from({ length: count }, (_, at) => {
    const n = String(Math.floor(at / from.length) + 1)
    return mark + (from[at % from.length] as string).replaceAll('{n}', n).replaceAll('{name}', name)
  })

/** The first words of a title as the name of a function: `releaseBoatsWhen`. */
function nameOf(title: string): string {
  const words = title.toLowerCase().match(/[a-z]+/g) ?? ['change']
  const [first, ...others] = words.slice(0, 3)
  return [first, ...others.map((word) => (word[0] as string).toUpperCase() + word.slice(1))].join('')
}
