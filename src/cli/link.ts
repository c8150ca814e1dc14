/** The address of the page of a server; with a code, one by which a browser logs in. */
export function linkOf(url: string, code?: string): string {
  // A server may listen on all addresses of its machine, but none is called so.
  const page = `${url.replace(/\/\/(?:0\.0\.0\.0|\[::\])(?=:)/, '//localhost')}/`
  return code === undefined ? page : `${page}#code=${code}`
}
