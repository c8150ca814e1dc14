/** Characters of one gram. */
const size = 3

const asciiLower = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
const hexOf = (characters: string[]) => Buffer.from(characters.join('')).toString('hex')

/**
 * The grams by which any part of a text is found: at each character it and the two that follow, written in hexadecimal so
 * that no engine's word rules touch them. Letters A to Z count as lower case.
 */
export function gramsOf(text: string): string[] {
  const characters = [...asciiLower(text)]
  return [...new Set(characters.map((_, at) => hexOf(characters.slice(at, at + size))))]
}

/** The grams that a text with this part in it has; of a part shorter than a gram, the beginning of one. */
export function gramsOfPart(part: string): string[] {
  const characters = [...asciiLower(part)]
  const whole = Math.max(1, characters.length - size + 1)
  return [...new Set(Array.from({ length: whole }, (_, at) => hexOf(characters.slice(at, at + size))))]
}
