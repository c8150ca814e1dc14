import type { Input } from '../../client/client.ts'

type File = NonNullable<Input<'appendTurn'>['files']>[number]
type Diff = Input<'addDiffs'>['diffs'][number]

/** Lines of code, as a session might add them. `{n}` stands for a number. */
const added = [
  'export function step{n}(input: Input): Result {',
  '  const found = find(input, {n})',
  '  if (!found) return nothing',
  '  return keep({ ...found, step: {n} })',
  '}',
  '',
]
const removed = ['export const old{n} = later(({ id }) => id)', '// Not used since step {n}.']

const lines = (from: readonly string[], count: number, mark: '+' | '-') =>
  Array.from({ length: count }, (_, at) => {
    const text = from[at % from.length] as string
    return `${mark}${text.replaceAll('{n}', String(Math.floor(at / from.length) + 1))}`
  })

/** What a turn wrote, with as many lines as its files say. */
export const diffsOf = (files: readonly File[] = []): Diff[] =>
  files.map(({ path, insertions = 0, deletions = 0 }) => ({
    path,
    change: { status: 'modified', insertions, deletions, patch: patchOf(insertions, deletions) },
  }))

/** One hunk between lines that stay. */
function patchOf(insertions: number, deletions: number): string {
  const head = `@@ -1,${deletions + 2} +1,${insertions + 2} @@`
  const body = [...lines(removed, deletions, '-'), ...lines(added, insertions, '+')]
  return [head, " import { find, keep, nothing } from './parts.ts'", ...body, ' // The rest stays.', ''].join('\n')
}
