import type { Socket } from 'node:net'
import pg from 'pg'
import type { Sql } from 'sql-template-tag'
import { translate } from './errors.ts'

/** Texts that are remembered for each connection. */
const textsKept = 300

/** What the driver has, and its types do not say. */
type Wire = pg.Connection & { stream: Socket; parsedStatements: Record<string, string> }
const wireOf = (client: pg.ClientBase) => (client as pg.ClientBase & { connection: Wire }).connection

export const socketOf = (client: pg.ClientBase): Socket => wireOf(client).stream

/** Runs a statement on a connection. Throws UniqueViolation, UNAVAILABLE, INSUFFICIENT_STORAGE. */
export async function run<Row extends object>(client: pg.ClientBase, { text, values }: Sql): Promise<Row[]> {
  sendTogether(socketOf(client))
  try {
    return (await client.query<Row>({ name: nameOf(client, text), text, values })).rows
  } catch (error) {
    throw translate(error)
  }
}

/** Runs statements without values. Throws as `run` does. */
export async function send(client: pg.ClientBase, text: string): Promise<pg.QueryResult> {
  sendTogether(socketOf(client))
  return await client.query(text).catch((error) => Promise.reject(translate(error)))
}

const corked = new WeakSet<Socket>()

/** What is asked of one connection in one tick of the event loop goes out in one write, which wakes the other side once. */
function sendTogether(stream: Socket) {
  if (corked.has(stream)) return
  corked.add(stream)
  stream.cork()
  process.nextTick(() => {
    corked.delete(stream)
    stream.uncork()
  })
}

/** By text the name under which a connection has prepared it, once it came a second time; the last used at the end. */
interface Names {
  byText: Map<string, string | undefined>
  given: number
}
const known = new WeakMap<pg.ClientBase, Names>()

/** A text that comes again is prepared under a name; one that comes once must not take the place of those. */
function nameOf(client: pg.ClientBase, text: string): string | undefined {
  const names = known.get(client) ?? { byText: new Map(), given: 0 }
  const { byText } = names
  known.set(client, names)
  const name = byText.has(text) ? (byText.get(text) ?? `conduct_${++names.given}`) : undefined
  byText.delete(text)
  byText.set(text, name)
  if (byText.size > textsKept) forgetOldest(client, byText)
  return name
}

function forgetOldest(client: pg.ClientBase, byText: Names['byText']) {
  const oldest = byText.entries().next().value
  if (!oldest) return
  const [text, name] = oldest
  byText.delete(text)
  if (name === undefined) return
  delete wireOf(client).parsedStatements[name]
  client.query(new Close(name))
}

/** Drops a prepared statement by the protocol: SQL's `deallocate` does not reach through a pooler. */
class Close extends pg.Query {
  readonly #name: string

  constructor(name: string) {
    super({ name, text: '' })
    this.#name = name
    // Of a lost connection, the statements that somebody waits for tell.
    this.on('error', () => {})
  }

  override submit = (connection: pg.Connection) => {
    connection.close({ type: 'S', name: this.#name }, false)
    connection.sync()
  }
}
