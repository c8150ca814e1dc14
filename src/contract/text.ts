/** Whether `text` is at most `max` UTF-8 bytes long. */
export function fits(text: string, max: number): boolean {
  return text.length * 3 <= max || Buffer.byteLength(text) <= max
}

/** The position nearest to `at` that does not split a character: downwards for -1, upwards for 1. */
export function boundary(bytes: Buffer, at: number, direction: -1 | 1): number {
  let end = Math.min(Math.max(at, 0), bytes.length)
  while (end > 0 && end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end += direction
  return end
}

/** The first bytes of `text`, at most `most`. Does not split characters. */
export function firstBytes(text: string, most: number): string {
  const bytes = Buffer.from(text)
  return bytes.toString('utf8', 0, boundary(bytes, most, -1))
}
