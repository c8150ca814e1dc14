import { ConductError } from '../../contract/error.ts'
import type { Env } from '../../place/folders.ts'
import { type Place, samePlace } from '../../place/place.ts'
import type { DeliveryClient } from './deliver.ts'
import { patienceMs, reconnect } from './sender.ts'

/** How one sync reaches the places of its recordings. A place that is away is tried only once. */
export interface Reach {
  /**
   * Connects to the place of a recording whose last delivery failed for the reason `trouble`, or did not fail. Throws
   * UNAVAILABLE if the place is away.
   */
  connect(place: Place, trouble: string | null): Promise<DeliveryClient>
  /** Remembers that nobody answers at that place. */
  leave(place: Place, words: string): void
}

interface ReachOptions {
  /** Whether a person waits for the result, and not other recordings. */
  isPatient: boolean
  /** Whether to send also what another key recorded. */
  anyKey: boolean
}

export function openReach(env: Env, { isPatient, anyKey }: ReachOptions): Reach {
  const away: { place: Place; words: string }[] = []
  const awayWords = (place: Place) => away.find((one) => samePlace(one.place, place))?.words
  const leave = (place: Place, words: string) => {
    if (awayWords(place) === undefined) away.push({ place, words })
  }
  return {
    leave,
    async connect(place, trouble) {
      const connection = await reconnect(
        anyKey && place.kind === 'server' ? { ...place, keyMark: undefined } : place,
        env,
      )
      // A server that has become silent would keep the recordings of all other places waiting with every call.
      if (trouble !== null && !isPatient && awayWords(place) === undefined && !(await isThere(connection)))
        leave(place, `No response from the server within ${patienceMs / 1000} seconds.`)
      const words = awayWords(place)
      if (words !== undefined) throw new ConductError('UNAVAILABLE', words)
      return connection
    },
  }
}

/** Whether a server gives a small answer soon, whatever it is. */
const isThere = ({ client }: DeliveryClient): Promise<boolean> =>
  client.me({}, { signal: AbortSignal.timeout(patienceMs) }).then(
    () => true,
    (error) => error instanceof ConductError && error.code !== 'UNAVAILABLE',
  )
