import { tmpdir, uptime } from 'node:os'
import { here } from './system.ts'

/** Where any user may write. On Windows, each user has a folder for temporary files. */
export const temporaryFolders = (): string[] => [
  tmpdir(),
  ...(here === 'posix' ? ['/tmp', '/var/tmp', '/dev/shm'] : []),
]

/** The pager of a user who has chosen none; '' for none. */
export const defaultPager = here === 'windows' ? '' : 'less -R'

/** Whether a shell says by that code that it has found no such program, or could not start it. */
export const isNotStarted = (code: number | null): boolean =>
  here === 'windows' ? code === 1 || code === 9009 : code === 126 || code === 127

/** Programs that open a URL. They get it as one argument, without a shell. */
const openers: Partial<Record<NodeJS.Platform, [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
}
export const opener = openers[process.platform] ?? ['xdg-open']

/** Milliseconds since the machine started, including the time in which it slept where the system counts that. */
export const sinceBoot = process.platform === 'linux' ? () => uptime() * 1000 : () => performance.now()
