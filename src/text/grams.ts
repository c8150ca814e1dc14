/** The number of characters of a gram. */
const size = 3

const asciiLower = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
const hexOf = (characters: string[]) => Buffer.from(characters.join('')).toString('hex')

/**
 * The grams by which any part of a text can be found: each character with the two after it, in hexadecimal so that no
 * engine's word rules apply. A to Z count as lower case.
 */
export function gramsOf(text: string): string[] {
  const characters = [...asciiLower(text)]
  return [...new Set(characters.map((_, at) => hexOf(characters.slice(at, at + size))))]
}

/** The grams of every text that contains this part. For a part shorter than a gram, the prefix of one instead. */
export function gramsOfPart(part: string): { grams: string[]; prefix?: string } {
  const characters = [...asciiLower(part)]
  if (characters.length < size) return { grams: [], prefix: hexOf(characters) }
  const count = characters.length - size + 1
  return { grams: [...new Set(Array.from({ length: count }, (_, at) => hexOf(characters.slice(at, at + size))))] }
}
