/** Joins words into a shell command, with quotes where needed. */
export function commandLine(words: string[]): string {
  const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
  return words.map(quoted).join(' ')
}
