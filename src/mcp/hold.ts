import { createHmac } from 'node:crypto'
import { ConductError } from '../api/error.ts'
import type { Run } from '../api/run.ts'
import type { CallOptions, Client, Input } from '../client/client.ts'

/** Who holds the runs that the tools write to: over stdio this process, over HTTP the caller's key. */
export interface Hold {
  /**
   * The run of the session that makes a call with this metadata, or the run that the process was told is its own. Undefined
   * where there is none, or where it may be one of several. UNAVAILABLE while the ledger does not have it yet.
   */
  session(meta: Meta): Promise<string | undefined>
  /** Whether a hook or `conduct exec` on this machine records that run, and so ends it. */
  isRecorded(runId: string): boolean
  /** Makes a run under a lease, and holds it for the session that calls. */
  start(input: Input<'createRun'>, options: CallOptions, meta: Meta): Promise<Run>
  /** Writes to a run, with the token of its lease where it is held. */
  write<T>(runId: string, call: (leaseToken: string | undefined) => Promise<T>, meta: Meta): Promise<T>
  /** The run as it is now, without its content; its lease is renewed where it is held. */
  renew(runId: string, meta: Meta): Promise<Run>
  /** The commit and tree that a check in this call is of; nothing where the work is not on this machine. */
  work(meta: Meta): Pick<Input<'createCheck'>, 'commit' | 'tree' | 'dirty'>
  /** Told of a run that finish_run has finished. */
  finished(runId: string): void
  /** The one open run that a call means which names none. Throws VALIDATION_ERROR that lists them when there is not exactly one. */
  only(meta: Meta): Promise<string>
}

/** The metadata that an MCP client gives a call. */
export type Meta = Record<string, unknown>

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
      // A run that was made without a lease needs no token; one that was made with a lease has been changed by somebody else.
      if (await wasLeased(client, runId)) throw error
      return call(undefined)
    }
  }

  return {
    session: async () => undefined,
    isRecorded: () => false,
    work: () => ({}),
    start: async (input, options) =>
      (await client.createRun({ ...input, leaseSeconds: keyLeaseSeconds, leaseToken }, options)).run,
    write,
    renew: (runId) => renewed(client, runId, leaseToken),
    finished: () => {},
    async only() {
      const { runs } = await client.listRuns({ status: ['in_progress'], limit: 10 })
      throw whichRun(
        'over HTTP each call names it',
        runs.map(({ runId }) => runId),
      )
    },
  }
}

/** Whether a run is leased, or was when it was made. */
async function wasLeased(client: Client, runId: string): Promise<boolean> {
  const { run } = await client.getRun({ runId })
  if (run.leaseExpiresAt !== null) return true
  // The newest, since the id of a deleted run can be used again.
  const { events } = await client.listEvents({ subject: runId, type: ['run.created'], order: 'desc', limit: 1 })
  return events.some(({ changes }) => changes.leaseExpiresAt !== undefined)
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
