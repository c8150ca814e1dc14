import { SettingError } from '../terminal/exit.ts'

/** What is wrong with the address of a server; undefined if nothing is. */
export function addressFault(url: string): string | undefined {
  const { protocol, username, password, hash, search } = URL.canParse(url) ? new URL(url) : new URL('none:')
  if (/^https?:$/.test(protocol) && !username && !password && !hash && !search) return undefined
  return `'${url.replace(/(?<=^[^/]*\/\/).*@/, '…@')}' is not the address of a server. One looks like https://ledger.example.com/conduct, with the base path.`
}

/** The value of CONDUCT_URL. Throws a SettingError if it is not the address of a server. */
export function addressIn(url: string): string {
  const fault = addressFault(url)
  if (fault !== undefined) throw new SettingError(`CONDUCT_URL: ${fault}`)
  return url
}
