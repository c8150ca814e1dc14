import crypto from 'node:crypto'
import { existsSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The modules of a checkout of Conduct that create a ledger, in any version. */
export interface Code {
  openStore: typeof import('../../src/operations/open.ts')['openStore']
  createApp: typeof import('../../src/server/app.ts')['createApp']
  createClient: typeof import('../../src/client/client.ts')['createClient']
  routes: typeof import('../../src/operations/routes.ts')['routes']
}

/** Loads the code of the checkout at `root`. Throws if a module is at none of the places where versions have had it. */
export async function codeOf(root: string): Promise<Code> {
  const load = (...places: string[]) => {
    const place = places.find((place) => existsSync(join(root, place)))
    if (!place) throw new Error(`${root} has none of ${places.join(', ')}`)
    return import(pathToFileURL(join(root, place)).href)
  }
  const { openStore } = await load('src/operations/open.ts')
  const { createApp } = await load('src/server/app.ts')
  const { createClient } = await load('src/client/client.ts')
  const { routes } = await load('src/operations/routes.ts', 'src/routes.ts')
  return { openStore, createApp, createClient, routes }
}

/**
 * Gives this process fixed sequences of random numbers and no background work, so that each run creates the same
 * ledger.
 */
export function fixCourse(): void {
  // Each kind of number has its own sequence, because one engine may draw numbers that the other does not need.
  const counts = new Map<string, number>()
  const next = (kind: string) => {
    const count = counts.get(kind) ?? 0
    counts.set(kind, count + 1)
    return crypto.createHash('sha256').update(`conduct ${kind} ${count}`).digest()
  }
  const fixed = {
    randomBytes: (size: number) =>
      Buffer.concat(Array.from({ length: Math.ceil(size / 32) }, () => next(`bytes ${size}`))).subarray(0, size),
    randomInt: (max: number) => next(`below ${max}`).readUInt32BE() % max,
  }
  Object.assign(crypto, fixed)
  syncBuiltinESMExports()
  const soon = globalThis.setTimeout
  const later = (work: () => void, ms: number) => soon(work, ms < choreMs ? ms : neverMs)
  globalThis.setTimeout = Object.assign(later, soon) as typeof soon
}

/** Background work of the store waits at least this long. */
const choreMs = 500
const neverMs = 2 ** 31 - 1
