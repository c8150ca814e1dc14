import { isSource } from '../root.ts'

/**
 * How users call this program: `conduct`, or through npm in a checkout, where there is no such command. Without
 * `--silent`, npm prints a heading into the output.
 */
export const called = isSource ? 'npm run --silent conduct --' : 'conduct'

/** Joins words into a shell command, with quotes where needed. */
export function commandLine(words: string[]): string {
  const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
  return words.map(quoted).join(' ')
}
