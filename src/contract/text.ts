/** Whether `text` is at most `max` UTF-8 bytes long. */
export function fits(text: string, max: number): boolean {
  return text.length * 3 <= max || Buffer.byteLength(text) <= max
}
