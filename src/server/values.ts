/** The characters of JSON that the scan looks for. */
const [quote, comma, colon, list, backslash, object] = [0x22, 0x2c, 0x3a, 0x5b, 0x5c, 0x7b]

/**
 * Whether JSON has more than `most` names and values, without parsing it: millions of small ones take seconds to parse,
 * but long texts do not. Objects and lists count, too, an empty one twice.
 */
export function hasMoreValues(json: Uint8Array, most: number): boolean {
  // Between two values there is a character at least.
  if (json.length <= most) return false
  let found = 1
  let isText = false
  for (let at = 0; at < json.length && found <= most; at++) {
    const character = json[at]
    if (character === quote) isText = !isText
    else if (isText && character === backslash) at++
    else if (isText) continue
    else if (character === comma || character === colon || character === list || character === object) found++
  }
  return found > most
}
