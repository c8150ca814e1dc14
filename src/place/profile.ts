import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashOf } from '../contract/secret.ts'
import { privateFolder, writePrivate } from '../system/private.ts'
import { SettingError } from '../terminal/exit.ts'
import { type Env, folders } from './folders.ts'
import { type Place, sameUrl } from './place.ts'

/** A server and the key for it. */
interface Profile {
  url: string
  key?: string
  project?: string
}

export interface Profiles {
  /** The name of the profile in use. */
  current?: string
  profiles: Record<string, Profile>
}

const pathOf = (env: Env) => join(folders.config(env), 'profiles.json')

/** The profiles of this user; none if there is no file. Throws an Error that names the file if it cannot be read. */
export function readProfiles(env: Env): Profiles {
  const path = pathOf(env)
  try {
    const stored = JSON.parse(readFileSync(path, 'utf8')) as Profiles
    // Without a prototype, so that `constructor` is a profile only if the file has it.
    return { ...stored, profiles: Object.assign(Object.create(null), stored.profiles) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { profiles: Object.create(null) }
    throw new Error(
      `Cannot read ${path} (${(error as Error).message}): repair it, or delete it and add the profiles again.`,
    )
  }
}

/** Writes the profiles in one step or not at all, readable only by this user. */
export function writeProfiles(env: Env, profiles: Profiles) {
  privateFolder(folders.config(env))
  writePrivate(pathOf(env), `${JSON.stringify(profiles, null, 2)}\n`)
}

/**
 * The key of that profile, or CONDUCT_API_KEY if no profile is given. Throws a SettingError for one that no header can
 * contain, because the error of the header would show it.
 */
export function keyOf(profile: string | undefined, env: Env): string | undefined {
  const stored = profile === undefined ? env.CONDUCT_API_KEY : readProfiles(env).profiles[profile]?.key
  const key = stored?.trim() || undefined
  if (key === undefined || /^[!-~]+$/.test(key)) return key
  const name = profile === undefined ? 'CONDUCT_API_KEY' : `The key of the profile '${profile}'`
  throw new SettingError(`${name} has a space, a line break or another character that no key has: copy the key again.`)
}

/** What tells CONDUCT_API_KEY, right or wrong, from other keys: the beginning of its hash. */
export function keyMarkOf(env: Env): string | undefined {
  const key = env.CONDUCT_API_KEY?.trim()
  return key ? hashOf(key).slice(0, 12) : undefined
}

/** The place with the mark of the CONDUCT_API_KEY that `env` has for it, if it has one. */
export function withCurrentKey(place: Place, env: Env): Place {
  const keyMark = keyMarkOf(env)
  const isForIt = place.kind === 'server' && place.profile === undefined && sameUrl(env.CONDUCT_URL ?? '', place.url)
  return keyMark !== undefined && isForIt ? { ...place, keyMark } : place
}

/** What is wrong with the address of a server; undefined if nothing is. */
export function addressFault(url: string): string | undefined {
  const { protocol, username, password, hash, search } = URL.canParse(url) ? new URL(url) : new URL('none:')
  if (/^https?:$/.test(protocol) && !username && !password && !hash && !search) return undefined
  return `'${url.replace(/(?<=^[^/]*\/\/).*@/, '…@')}' is not the address of a server. One looks like https://ledger.example.com/conduct, with the base path.`
}

/** The value of CONDUCT_URL, without a slash at its end. Throws a SettingError if it is not the address of a server. */
export function addressIn(url: string): string {
  const fault = addressFault(url)
  if (fault !== undefined) throw new SettingError(`CONDUCT_URL: ${fault}`)
  return url.replace(/\/$/, '')
}
