import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Env, folders, privateFolder } from './folders.ts'
import { writePrivate } from './private-file.ts'

/** A server that the command line knows, with the key for it. */
export interface Profile {
  url: string
  key?: string
  project?: string
}

export interface Profiles {
  /** The name of the one in use. */
  current?: string
  profiles: Record<string, Profile>
}

const pathOf = (env: Env) => join(folders.config(env), 'profiles.json')

/** The profiles of this user; none where there is no file. Throws an Error that names a file which cannot be read. */
export function readProfiles(env: Env): Profiles {
  const path = pathOf(env)
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Profiles
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { profiles: {} }
    throw new Error(
      `${path} cannot be read (${(error as Error).message}): repair it, or delete it and add the profiles again.`,
    )
  }
}

/** Writes them at once or not at all, for this user's eyes only. */
export function writeProfiles(env: Env, profiles: Profiles) {
  privateFolder(folders.config(env))
  writePrivate(pathOf(env), `${JSON.stringify(profiles, null, 2)}\n`)
}

/** The key of that profile; without one, of CONDUCT_API_KEY. */
export const keyOf = (profile: string | undefined, env: Env) =>
  profile === undefined ? env.CONDUCT_API_KEY || undefined : readProfiles(env).profiles[profile]?.key
