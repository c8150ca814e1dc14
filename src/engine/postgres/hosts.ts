import pg from 'pg'
import { ConductError } from '../../contract/error.ts'
import { only } from '../db.ts'
import { type PostgresTarget, readAddress, type SessionAttrs } from './address.ts'
import { connectMs, driverSettings, type ServerRole, sessionColumns } from './connect.ts'
import { refusesChoice, translate } from './errors.ts'
import { socketOf } from './statements.ts'

/**
 * The ways to reach a database in the order of its URL, and the current one. All connections of a process share them:
 * when one connection reaches another host, the others follow.
 */
export class PostgresHosts {
  readonly #targets: PostgresTarget[]
  readonly #attrs: SessionAttrs
  readonly #timeoutMs: number
  readonly #onMove = new Set<() => void>()
  readonly #targetOf = new WeakMap<pg.ClientBase, PostgresTarget>()
  readonly #generationOf = new WeakMap<pg.ClientBase, number>()
  /** The target of new connections. */
  #next: PostgresTarget
  #inUse: string | undefined
  #generation = 0

  /** Throws if something is wrong with the URL. */
  constructor(url: string) {
    const { targets, attrs, connectTimeoutMs } = readAddress(url)
    this.#targets = targets
    this.#next = targets[0] as PostgresTarget
    this.#attrs = attrs
    // A caller waits `connectMs` for a connection. Within that time we must be able to try the last host.
    this.#timeoutMs = Math.min(connectTimeoutMs ?? connectMs, connectMs / this.count)
  }

  get count(): number {
    return new Set(this.#targets.map(({ name }) => name)).size
  }

  /** Whether a connection has been accepted, so the kind of server is known. */
  get isKnown(): boolean {
    return this.#inUse !== undefined
  }

  /** Calls `move` whenever another host replaces the current one, until the returned function is called. */
  onMove(move: () => void): () => void {
    this.#onMove.add(move)
    return () => this.#onMove.delete(move)
  }

  /** Attempts to connect: one per target, none started after `connectMs`. */
  *attempts(): Generator<void> {
    const end = performance.now() + connectMs * 0.95
    for (let left = this.#targets.length; left > 0 && performance.now() < end; left--) yield
  }

  /** A client class whose instances connect to the next target at the time they are created. */
  clientClass(): new (options?: pg.ClientConfig) => pg.Client {
    const hosts = this
    return class extends pg.Client {
      constructor(options?: pg.ClientConfig) {
        const { connectionString, ssl } = hosts.#next
        super({ ...options, connectionString, ssl, connectionTimeoutMillis: hosts.#timeoutMs })
        hosts.#targetOf.set(this, hosts.#next)
      }

      override connect(): Promise<this>
      override connect(callback: (error: Error) => void): void
      override connect(callback?: (error: Error) => void): Promise<pg.Client> | undefined {
        if (!callback) return super.connect().catch((error) => Promise.reject(hosts.failed(this, error)))
        super.connect((error: Error) => callback(error && hosts.failed(this, error)))
        return undefined
      }
    }
  }

  /** A connection outside a pool to a suitable host. Throws UNAVAILABLE if there is none. */
  async connect(options: pg.ClientConfig): Promise<pg.Client> {
    let failure: unknown
    for (const _ of this.attempts()) {
      const client = new (this.clientClass())({ ...driverSettings, ...options })
      // Callers that need errors listen for them, too.
      client.on('error', () => {})
      try {
        await client.connect()
        await this.check(client)
        return client
      } catch (error) {
        failure = error
        socketOf(client).destroy()
      }
    }
    throw translate(failure)
  }

  /** Asks what a connection may do. Throws like `accept`. */
  async check(client: pg.ClientBase): Promise<void> {
    const statement = { text: `select ${sessionColumns}`, query_timeout: this.#timeoutMs }
    const asked = client.query<ServerRole>(statement).catch((error) => Promise.reject(this.failed(client, error)))
    this.accept(client, only((await asked).rows))
  }

  /** Accepts a connection. Throws UNAVAILABLE if its host does not meet the URL's requirements. */
  accept(client: pg.ClientBase, { isStandby, isReadOnly }: ServerRole): void {
    const target = this.#targetOf.get(client) as PostgresTarget
    const isUnfit = { any: false, primary: isStandby, 'read-write': isStandby || isReadOnly }[this.#attrs]
    if (isUnfit) {
      const words = `The database at ${target.name} is ${isStandby ? 'a standby' : 'read-only'}, and the URL wants ${this.#attrs}.`
      throw this.failed(client, new ConductError('UNAVAILABLE', words, { retryAfter: 1 }))
    }
    const hasMoved = this.#inUse !== undefined && this.#inUse !== target.name
    this.#next = target
    this.#inUse = target.name
    if (hasMoved) this.#generation++
    this.#generationOf.set(client, this.#generation)
    if (hasMoved) for (const move of this.#onMove) move()
  }

  /** Whether a connection was accepted and has not been discarded since, by `renew` or for another host. */
  isCurrent(client: pg.ClientBase): boolean {
    return this.#generationOf.get(client) === this.#generation
  }

  /** Discards all connections once they are idle. */
  renew(): void {
    this.#generation++
  }

  /** Records that a connection failed, so that new ones try the next target. Returns the error. */
  failed<E extends Error>(client: pg.ClientBase, error: E): E {
    const target = this.#targetOf.get(client) as PostgresTarget
    if (target !== this.#next) return error
    const at = this.#targets.indexOf(target)
    const others = [...this.#targets.slice(at + 1), ...this.#targets.slice(0, at + 1)]
    const next = refusesChoice(error) ? others[0] : others.find(({ name }) => name !== target.name)
    this.#next = next ?? target
    return error
  }
}

const lookEveryMs = 2_000

/**
 * Monitors the current host if the URL has others. A silent host would block its callers until their time limit.
 * Returns the function that ends this.
 */
export function guard(hosts: PostgresHosts, warn: (error: Error) => void): () => void {
  if (hosts.count < 2) return () => {}
  let client: pg.Client | undefined
  let isLooking = false
  let isClosed = false

  async function look() {
    if (isLooking) return
    isLooking = true
    try {
      if (client) await hosts.check(client)
      else client = await hosts.connect({ application_name: 'conduct guard' })
      if (isClosed) leave()
    } catch (error) {
      const wasThere = client !== undefined
      leave()
      if (!isClosed) warn(error as Error)
      // Looks for another host at once.
      if (wasThere && !isClosed) setImmediate(() => void look())
    } finally {
      isLooking = false
    }
  }

  function leave() {
    if (client) socketOf(client).destroy()
    client = undefined
  }

  const timer = setInterval(() => void look(), lookEveryMs).unref()
  return () => {
    isClosed = true
    clearInterval(timer)
    leave()
  }
}
