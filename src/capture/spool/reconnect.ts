import { addressIn } from '../../place/address.ts'
import { connect, databaseUrlOf } from '../../place/connect.ts'
import type { Env } from '../../place/folders.ts'
import { type Place, sameLedger, sameUrl } from '../../place/place.ts'
import { readProfiles } from '../../place/profile.ts'
import { type Line, tryMs } from './deliver.ts'

/**
 * Connects to a recorded place with current settings: the URL and key of its profile, or the password of its database.
 * Throws an Error rather than send CONDUCT_API_KEY to a server that CONDUCT_URL does not name.
 */
export async function reconnect(place: Place, env: Env): Promise<Line> {
  const tries = { attempts: 1, timeout: tryMs }
  if (place.kind === 'local') {
    const current = { ...place, databaseUrl: databaseUrlOf(env, '/') }
    return connect(sameLedger(current, place) ? current : place, env, tries)
  }
  if (place.profile !== undefined) {
    const url = readProfiles(env).profiles[place.profile]?.url
    if (url === undefined)
      throw new Error(`It belongs to the profile '${place.profile}', which no longer exists: add it again.`)
    return connect({ ...place, url }, env, tries)
  }
  if (!env.CONDUCT_URL)
    throw new Error(`It belongs to ${place.url}: set CONDUCT_URL to that, and CONDUCT_API_KEY to a key of it.`)
  if (!sameUrl(addressIn(env.CONDUCT_URL), place.url))
    throw new Error(`It belongs to ${place.url}, and CONDUCT_URL is ${env.CONDUCT_URL}.`)
  return connect(place, env, tries)
}

/** Gives deliveries one connection, which is opened on first use and stays open until `close`. */
export function keepOpen(env: Env) {
  let opened: Promise<Line> | undefined
  return {
    async connect(place: Place): Promise<Line> {
      opened ??= reconnect(place, env)
      const { client } = await opened.catch((error) => {
        opened = undefined
        throw error
      })
      return { client, close: async () => {} }
    },
    close: async () => (await opened?.catch(() => undefined))?.close(),
  }
}
