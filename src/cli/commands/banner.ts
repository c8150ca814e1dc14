import { withoutPassword } from '../../place/setting.ts'
import { called, commandLine } from '../../terminal/text.ts'

/** What a server prints when it starts. */
interface Start {
  url: string
  databaseUrl: string
  /** The code of a login link; undefined if the output may end up in a log. */
  code: string | undefined
  firstKey: FirstKey | undefined
  ignoredAdminKey: boolean
}

/** Where the first key is: printed here, in a file, or lost because that file could not be written. */
export type FirstKey = { secret: string } | { path: string } | { lost: string }

export function bannerOf({ url, databaseUrl, code, firstKey, ignoredAdminKey }: Start): string[] {
  const lines = [`Conduct listens on ${url}`, `Database: ${withoutPassword(databaseUrl)}`, `API: ${url}/docs`]
  if (code === undefined) lines.push(`Page: ${linkOf(url)}`, `      (For a link that logs you in: ${called} open)`)
  else
    lines.push(
      `Page: ${linkOf(url, code)}`,
      `      (This link logs you in once, within 10 minutes. For another: ${called} open)`,
    )
  if (ignoredAdminKey) {
    lines.push('CONDUCT_ADMIN_KEY is ignored: this database already has a different admin key.')
  }
  if (firstKey) lines.push('', ...firstKeyLines(firstKey))
  else lines.push(`Keys: ${anotherKey()}`)
  if (firstKey && 'secret' in firstKey)
    lines.push('', 'To create a first run:', '', `  ${firstRun(url, firstKey.secret)}`)
  return lines
}

const firstRun = (url: string, secret: string) =>
  `curl -X POST -H "Authorization: Bearer ${secret}" -H "Content-Type: application/json" -d '{"content": "# Hello ledger", "status": "completed"}' ${url}/v1/runs`

/** The command that creates an admin key of the whole server for whoever can open the database. */
const anotherKey = () => `${called} key create --profile local --all-projects --name admin --permission admin --service`

/** Where the first key is, and how to use it. */
export function firstKeyLines(firstKey: FirstKey): string[] {
  if ('lost' in firstKey) {
    return [
      `The first key is lost, because its file could not be written: ${firstKey.lost}`,
      `To create another: ${anotherKey()}`,
    ]
  }
  if ('path' in firstKey) {
    return [
      `The first key, with all permissions, is in ${firstKey.path}`,
      'Only its owner can read that file. To use the key:',
      '',
      `  export CONDUCT_API_KEY="$(cat ${commandLine([firstKey.path])})"`,
    ]
  }
  return [
    'The first key, with all permissions. Conduct shows it only this once:',
    '',
    `  export CONDUCT_API_KEY=${firstKey.secret}`,
  ]
}

/** The URL of a server's dashboard. With a code, opening it logs the browser in. */
export function linkOf(url: string, code?: string): string {
  // A server can listen on all addresses of its machine, but a browser needs one. On [::1], which is localhost, another
  // user's program may listen beside a server on 0.0.0.0.
  const page = `${url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//localhost:')}/`
  return code === undefined ? page : `${page}#code=${code}`
}
