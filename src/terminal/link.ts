/** The URL of a server's dashboard. With a code, opening it logs the browser in. */
export function linkOf(url: string, code?: string): string {
  // A server can listen on all addresses of its machine, but a browser needs a name.
  const page = `${url.replace(/\/\/(?:0\.0\.0\.0|\[::\])(?=:)/, '//localhost')}/`
  return code === undefined ? page : `${page}#code=${code}`
}
