const safe = ['http:', 'https:', 'mailto:']

/** The address that somebody wrote, where it may be a link to elsewhere; undefined for scripts, files and what is none. */
export function outerAddress(text: string): string | undefined {
  const url = URL.parse(text)
  return url && safe.includes(url.protocol) ? url.href : undefined
}
