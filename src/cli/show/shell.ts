/** The words as a shell would take them, quoted where they must be. */
export function commandLine(words: string[]): string {
  const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
  return words.map(quoted).join(' ')
}
