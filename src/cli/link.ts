/** The address by which a browser logs in with that code, at a server of that address. */
export function linkOf(url: string, code: string): string {
  // A server may listen on all addresses of its machine, but none is called so.
  return `${url.replace(/\/\/(?:0\.0\.0\.0|\[::\])(?=:)/, '//localhost')}/#code=${code}`
}
