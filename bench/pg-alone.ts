// What `pg` alone reaches with the statements of Conduct's createRun: bare node:http, a pool as large as Conduct's, one
// transaction a request, in which the number of the run is claimed too. It stands behind the same load as Conduct does,
// since the load generator and HTTP take their share of the machine from PostgreSQL in both.
// `node bench/pg-alone.ts URL`, on a database of which Conduct made the schema.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { recordCreate, runSteps, type Step } from './recorded.ts'

const int8 = 20
const pool = new pg.Pool({
  connectionString: process.argv[2] as string,
  max: 10,
  types: { getTypeParser: (oid, format) => (oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text')) },
})

/** Creates a run with the recorded statements. Returns its row. */
async function create(steps: Step[], runAt: number) {
  const client = await pool.connect()
  try {
    return (await runSteps(client, steps))[runAt]
  } finally {
    client.release()
  }
}

async function handle(request: IncomingMessage, response: ServerResponse, steps: Step[], runAt: number) {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  JSON.parse(Buffer.concat(chunks).toString())
  const body = JSON.stringify({ run: await create(steps, runAt) })
  response.writeHead(201, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

const steps = await recordCreate(process.argv[2] as string)
const runAt = steps.findIndex(({ text }) => /insert into runs\b/.test(text))
const server = createServer((request, response) => {
  handle(request, response, steps, runAt).catch((error) => {
    console.error(error)
    response.destroy()
  })
}).listen(0, '127.0.0.1', () => {
  console.log(`pg alone listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
process.on('SIGTERM', () => process.exit(0))
