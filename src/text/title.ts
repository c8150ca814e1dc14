import { cutMark } from '../contract/lines.ts'
import { firstBytes, fits } from '../contract/text.ts'

/** The most bytes of a title. */
export const titleBytes = 300

/** How many lines of a content to search for a title, and how many characters of each. */
const lines = 100
const lineLength = 1000

/**
 * The first Markdown heading (CommonMark's ATX form, outside fences) in the first 100 lines of `content`, else the
 * first line with words, with a mark where it is cut; null if there is neither. The time depends only on those lines.
 */
export function titleOf(content: string): string | null {
  let fenced = false
  let first: string | null = null
  for (const line of firstLines(content)) {
    if (/^ {0,3}(```|~~~)/.test(line)) {
      fenced = !fenced
      continue
    }
    const heading = fenced ? undefined : headingOf(line)
    if (heading) return asTitle(heading)
    first ??= line.trim() || null
  }
  return first && asTitle(first)
}

/** A text of the length of a title. By the mark, an erasure knows that a text may go on. */
export const asTitle = (text: string): string =>
  fits(text, titleBytes) ? text : firstBytes(text, titleBytes - Buffer.byteLength(cutMark)) + cutMark

function* firstLines(content: string) {
  for (let count = 0, at = 0; count < lines && at <= content.length; count++) {
    const end = content.indexOf('\n', at)
    const next = end < 0 ? content.length : end
    yield content.slice(at, Math.min(next, at + lineLength))
    at = next + 1
  }
}

/**
 * The text of a heading; undefined if the line is not a heading. A closing sequence of `#` after a space is not part of
 * it.
 */
function headingOf(line: string): string | undefined {
  const opening = /^ {0,3}#{1,6}(?=\s)/.exec(line)?.[0]
  if (opening === undefined) return undefined
  const text = line.slice(opening.length).trim()
  let end = text.length
  while (text[end - 1] === '#') end--
  const isClosing = end < text.length && (end === 0 || /\s/.test(text[end - 1] as string))
  return isClosing ? text.slice(0, end).trimEnd() : text
}
