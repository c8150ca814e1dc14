import type { Socket } from 'node:net'
import pg from 'pg'
import type { Sql } from 'sql-template-tag'
import { translate } from './errors.ts'

/** How many statement texts are remembered per connection. */
const textsKept = 300

/** Parts of the driver that its types leave out. */
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

/** Runs statements without values. Throws like `run`. */
export async function send(client: pg.ClientBase, text: string): Promise<pg.QueryResult> {
  sendTogether(socketOf(client))
  return await client.query(text).catch((error) => Promise.reject(translate(error)))
}

const corked = new WeakSet<Socket>()

/** Sends all requests of one tick of the event loop in one write, which wakes the other side once. */
function sendTogether(stream: Socket) {
  if (corked.has(stream)) return
  corked.add(stream)
  stream.cork()
  process.nextTick(() => {
    corked.delete(stream)
    stream.uncork()
  })
}

/** The names of prepared statements by their text, from the second use on; most recently used last. */
interface Names {
  byText: Map<string, string | undefined>
  given: number
}
const known = new WeakMap<pg.ClientBase, Names>()

/** A text that is used again is prepared under a name. One that is used once must not displace those. */
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

/** Drops a prepared statement through the protocol. SQL's `deallocate` does not pass a pooler. */
class Close extends pg.Query {
  readonly #name: string

  constructor(name: string) {
    super({ name, text: '' })
    this.#name = name
    // If a connection is lost, its waiting statements report it.
    this.on('error', () => {})
  }

  override submit = (connection: pg.Connection) => {
    connection.close({ type: 'S', name: this.#name }, false)
    connection.sync()
  }
}
