import { type PlatformPath, posix, win32 } from 'node:path'

// This house holds all calls that only POSIX has, each with what Windows does instead. No other asks on which system it
// runs. What depends on the system alone takes it as an argument, so that tests see both.

/** Linux, macOS and the BSDs are POSIX. */
export type System = 'posix' | 'windows'

export const here: System = process.platform === 'win32' ? 'windows' : 'posix'

/** The id of this user; undefined on Windows, which has none. */
export const userId: number | undefined = process.getuid?.()

export const pathsOf = (system: System): PlatformPath => (system === 'windows' ? win32 : posix)
