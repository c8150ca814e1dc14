import { createHmac } from 'node:crypto'
import type { CallOptions, Client, Input } from '../client/client.ts'
import { permits } from '../contract/actor.ts'
import { ConductError, invalid } from '../contract/error.ts'
import type { Run } from '../nouns/run/fields.ts'

/** Who holds the leases of the runs that the tools write to: this process over stdio, the caller's key over HTTP. */
export interface Hold {
  /**
   * The run of the calling session, or the run that the process was started for. Undefined if there is none, or if it
   * could be one of several. Throws UNAVAILABLE while the ledger does not have it yet.
   */
  session(meta: Meta): Promise<string | undefined>
  /** Whether a hook or `conduct exec` on this machine records that run, and will therefore end it. */
  isRecorded(runId: string): boolean
  /** Creates a run of the person who works here under a lease, and holds it for the calling session. */
  start(input: Input<'createRun'>, options: CallOptions, meta: Meta): Promise<Run>
  /** Writes to a run, with the token of its lease if we hold it. */
  write<T>(runId: string, call: (leaseToken: string | undefined) => Promise<T>, meta: Meta): Promise<T>
  /** The current run without its content. Renews its lease if we hold it. */
  renew(runId: string, meta: Meta): Promise<Run>
  /** What a check in this call refers to; empty if the work is not on this machine. */
  work(meta: Meta): CheckGit
  /** Records what hooks of the calling session saw before this call. */
  caughtUp(meta: Meta): Promise<void>
  /** Called when finish_run has finished a run. */
  finished(runId: string): void
  /** Leaves the end of a recorded run to its session, with the outcome that the agent gave. */
  leave(runId: string, failure: Run['failure']): void
  /**
   * The only open run that a call without an id can mean. Otherwise throws a VALIDATION_ERROR that lists the
   * candidates.
   */
  only(meta: Meta): Promise<string>
}

/** The git fields of a check. */
export interface CheckGit extends Pick<NonNullable<Run['git']>, 'commit' | 'commitTree' | 'tree' | 'dirty'> {
  /** Whether the calling session is in another working tree than that of its run. */
  isElsewhere?: boolean
}

/** The metadata of a call from an MCP client. */
export type Meta = Record<string, unknown>

/** Over HTTP, a run is held for this many seconds after each call that writes to it. */
const keyLeaseSeconds = 7200

/** How many open runs an error lists. */
const mostOpen = 10

/**
 * The token of all leases of a key. It is derived, so nothing needs to be stored and any server process can continue.
 */
export const tokenOfKey = (secret: string) =>
  createHmac('sha256', secret).update('conduct mcp lease').digest('base64url')

/** Runs held by the key with that secret, for its person. */
export function keyHold(client: Client, secret: string, author: string | null): Hold {
  const leaseToken = tokenOfKey(secret)

  async function write<T>(runId: string, call: (leaseToken: string | undefined) => Promise<T>): Promise<T> {
    try {
      return await call(leaseToken)
    } catch (error) {
      if (!(error instanceof ConductError) || error.code !== 'LEASE_LOST') throw error
      // A run created without a lease needs no token. One that was created with a lease now belongs to someone else.
      if (await wasLeased(client, runId)) throw error
      return call(undefined)
    }
  }

  return {
    session: async () => undefined,
    isRecorded: () => false,
    work: () => ({}),
    caughtUp: async () => {},
    start: async (input, options) =>
      (await client.createRun({ ...input, author, leaseSeconds: keyLeaseSeconds, leaseToken }, options)).run,
    write,
    renew: (runId) => renewed(client, runId, leaseToken),
    finished: () => {},
    leave: () => {},
    async only() {
      throw whichRun('over HTTP each call names it', await openRuns(client))
    },
  }
}

/** The newest open runs that the key can probably write to: its own, and those that nobody holds. */
async function openRuns(client: Client): Promise<string[]> {
  const [{ key, permissions }, { runs }] = await Promise.all([
    client.me(),
    client.listRuns({ status: ['in_progress'], limit: 100 }),
  ])
  const isOpen = ({ createdBy, leaseExpiresAt }: Pick<Run, 'createdBy' | 'leaseExpiresAt'>) =>
    (createdBy.kind === 'key' && createdBy.name === key?.name) ||
    (leaseExpiresAt === null && permits(permissions, 'write'))
  return runs
    .filter(isOpen)
    .map(({ runId }) => runId)
    .slice(0, mostOpen)
}

/** Whether a run has a lease, or had one when it was created. */
async function wasLeased(client: Client, runId: string): Promise<boolean> {
  const { run } = await client.getRun({ runId })
  if (run.leaseExpiresAt !== null) return true
  // The newest event, because the id of a deleted run can be reused.
  const { events } = await client.listEvents({ subject: runId, type: ['run.created'], order: 'desc', limit: 1 })
  return events.some(({ changes }) => changes.leaseExpiresAt !== undefined)
}

/** Sends a heartbeat if we hold the lease; otherwise only reads the run. */
export async function renewed(client: Client, runId: string, leaseToken: string | undefined): Promise<Run> {
  const look = async () => (await client.getRun({ runId })).run
  if (leaseToken === undefined) return look()
  return client.heartbeat({ runId, leaseToken }).then(({ run }) => run, look)
}

/** The error of a call that must name its run. `open` lists the runs it could mean. */
export function whichRun(why: string, open: string[]): ConductError {
  const which = open.length > 0 ? `open are ${open.join(', ')}` : 'none is open: start_run starts one'
  return invalid('runId', `is required, since ${why}; ${which}`)
}
