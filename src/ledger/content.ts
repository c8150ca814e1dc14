/** What a content that has outgrown the limit keeps of its beginning, in bytes. */
const headBytes = 131_072

/** The largest whole number of bytes up to `at`, or the smallest from it on, that does not split a character. */
export function boundary(bytes: Buffer, at: number, direction: -1 | 1): number {
  let end = Math.min(Math.max(at, 0), bytes.length)
  while (end > 0 && end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end += direction
  return end
}

/** A piece of `text`, from byte `from` on and at most `most` bytes long; characters stay whole. */
export function slice(text: string, from: number, most = Number.POSITIVE_INFINITY): string {
  const bytes = Buffer.from(text)
  const begin = boundary(bytes, from, 1)
  return bytes.toString('utf8', begin, boundary(bytes, begin + most, -1))
}

/** `text` in pieces of at most `most` bytes (4 or more); characters stay whole. */
export function pieces(text: string, most: number): string[] {
  const bytes = Buffer.from(text)
  const found: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = boundary(bytes, at + most, -1)
    found.push(bytes.toString('utf8', at, end))
    at = end
  }
  return found
}

/**
 * A content that has outgrown `limit` bytes, as its head and its newest part; what lies between is dropped. An eighth of
 * the limit is left free, so that it is not cut again with every append. `head` is that of an earlier cut, if there was one.
 */
export function squeeze(head: string | undefined, rest: string, limit: number): { head: string; newest: string } {
  const kept = Math.min(headBytes, limit >> 3)
  const first = head ?? slice(rest, 0, kept)
  const room = limit - Buffer.byteLength(first) - (limit >> 3)
  return { head: first, newest: slice(rest, Buffer.byteLength(rest) - room) }
}

/** The line that stands where the middle of a content was dropped. */
export const markerOf = (bytes: number) => `\n[${bytes.toLocaleString('en')} bytes dropped here]\n`
