/** What ends a text that is cut. */
export const cutMark = '…'

/** At most so many characters of a text, of which the last says that it is cut. */
export const shortened = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1).toWellFormed()}${cutMark}` : text

/** The first line with words, without heading marks, cut to so many characters. */
export function firstLine(text: string, most: number): string {
  const line = text.split('\n').find((one) => one.trim() !== '') ?? ''
  return shortened(line.trim().replace(/^#+\s*/, ''), most)
}
