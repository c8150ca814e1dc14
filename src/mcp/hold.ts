import { createHmac } from 'node:crypto'
import { ConductError } from '../api/error.ts'
import type { Run } from '../api/run.ts'
import type { CallOptions, Client, Input } from '../client/client.ts'

/** Who holds the runs that the tools write to: over stdio this process, over HTTP the caller's key. */
export interface Hold {
  /** The run that start_run takes up instead of making one: what a hook or `conduct exec` has opened. */
  adoptable(): string | undefined
  /** Makes a run under a lease, and holds it. */
  start(input: Input<'createRun'>, options: CallOptions): Promise<Run>
  /** Writes to a run, with the token of its lease where it is held. */
  write<T>(runId: string, call: (leaseToken: string | undefined) => Promise<T>): Promise<T>
  /** The run as it is now, without its content; its lease is renewed where it is held. */
  renew(runId: string): Promise<Run>
  /** Told of a run that finish_run has ended. */
  ended(runId: string): void
  /** The one open run that a call means which names none. Throws VALIDATION_ERROR that lists them when there is not exactly one. */
  only(): Promise<string>
}

/** Seconds for which a run is held over HTTP after each call that writes to it. */
const keyLeaseSeconds = 7200

/** The token of all leases that a key holds: nothing needs to be stored, and any server process can go on. */
export const tokenOfKey = (secret: string) =>
  createHmac('sha256', secret).update('conduct mcp lease').digest('base64url')

/** Runs held by the key with that secret. */
export function keyHold(client: Client, secret: string): Hold {
  const leaseToken = tokenOfKey(secret)

  async function write<T>(runId: string, call: (leaseToken: string | undefined) => Promise<T>): Promise<T> {
    try {
      return await call(leaseToken)
    } catch (error) {
      if (!(error instanceof ConductError) || error.code !== 'LEASE_LOST') throw error
      const { run } = await client.getRun({ runId })
      // A run that was never held needs no token; one that was held has been changed by somebody else.
      if (run.lastSeenAt !== null || run.leaseExpiresAt !== null) throw error
      return call(undefined)
    }
  }

  return {
    adoptable: () => undefined,
    start: async (input, options) =>
      (await client.createRun({ ...input, leaseSeconds: keyLeaseSeconds, leaseToken }, options)).run,
    write,
    renew: (runId) => renewed(client, runId, leaseToken),
    ended: () => {},
    async only() {
      const { runs } = await client.listRuns({ status: ['in_progress'], limit: 10 })
      throw whichRun(
        'over HTTP each call names it',
        runs.map(({ runId }) => runId),
      )
    },
  }
}

/** A heartbeat by the holder; whoever holds nothing just looks. */
export async function renewed(client: Client, runId: string, leaseToken: string | undefined): Promise<Run> {
  const look = async () => (await client.getRun({ runId })).run
  if (leaseToken === undefined) return look()
  return client.heartbeat({ runId, leaseToken }).then(({ run }) => run, look)
}

/** The error of a call that should name its run: `open` are the runs that it may mean. */
export function whichRun(why: string, open: string[]): ConductError {
  const which = open.length > 0 ? `open are ${open.join(', ')}` : 'none is open: start_run makes one'
  const message = `is required, since ${why}; ${which}`
  return new ConductError('VALIDATION_ERROR', `runId: ${message}.`, { issues: [{ path: 'runId', message }] })
}
