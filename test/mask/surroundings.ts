/** Surroundings of a secret. The text around it always begins the same way, and must stay. */
export const surroundings: Record<string, (text: string) => string> = {
  plain: (text) => `First line.\n${text}\nlast line`,
  coloured: (text) => `First line.\n\x1b[32m${text.replace(/[=:]\s?|_|-/, '$&\x1b[1m')}\x1b[0m\nlast line`,
  JSON: (text) => JSON.stringify({ first: 'line', output: `$ cat it\n${text}\n`, last: 'line' }),
  'JSON in JSON': (text) => JSON.stringify({ first: 'line', output: JSON.stringify({ text }), last: 'line' }),
  address: (text) => `https://example.com/a?text=${encodeURIComponent(text)}&last=line`,
}

export const beginning = /^(First line|\{"first":"line"|https:\/\/example\.com\/a\?text=)/

/** Whether a text still contains a secret, also as JSON or an address encodes it. */
export function isShown(text: string, secret: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours.
  const shown = text.replace(/\x1b\[\d*m/g, '')
  const inJson = JSON.stringify(secret).slice(1, -1)
  const spelled = [secret, inJson, JSON.stringify(inJson).slice(1, -1), encodeURIComponent(secret)]
  return spelled.some((one) => shown.includes(one))
}
