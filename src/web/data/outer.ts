const safe = ['http:', 'https:', 'mailto:']

/** The URL in a text if it is safe to link to; undefined for scripts, files and other texts. */
export function outerAddress(text: string): string | undefined {
  const url = URL.parse(text)
  return url && safe.includes(url.protocol) ? url.href : undefined
}
