import { fits } from './text.ts'

export const titleBytes = 300

/** The first markdown heading among the first 100 lines of `content`, else its first line with words; null if there is none. */
export function titleOf(content: string): string | null {
  let fenced = false
  let first: string | null = null
  for (const line of content.split('\n', 100)) {
    if (/^ {0,3}(```|~~~)/.test(line)) {
      fenced = !fenced
      continue
    }
    const heading = fenced ? undefined : /^ {0,3}#{1,6}\s+(.*?)(?:\s+#+)?\s*$/.exec(line)?.[1]
    if (heading) return cut(heading)
    first ??= line.trim() || null
  }
  return first && cut(first)
}

/** The longest beginning of `title` that is whole characters and fits. */
function cut(title: string): string {
  if (fits(title, titleBytes)) return title
  const bytes = Buffer.from(title)
  let end = titleBytes
  // A byte 10xxxxxx goes on with the character before it.
  while (((bytes[end] as number) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}
