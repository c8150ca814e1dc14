import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { load } from './load.ts'
import { atMost, median, type Row, shown } from './report.ts'
import { adminKey, type Server, startConduct, type Workplace } from './servers.ts'
import { newRun, seedOf } from './work.ts'

const headers = { authorization: `Bearer ${adminKey}` }
/** How many events a stream sends that starts at the beginning. */
const logged = 10_000
const times = 5
const writes = 100
/** The longest random pause, so that writes do not fall into step with the server's polling. */
const pauseMs = 100

/** How fast a stream sends events, on both engines. */
export async function measureStreams(place: Workplace): Promise<Row[]> {
  const urls = { SQLite: `sqlite:${join(place.folder(), 'conduct.db')}`, PostgreSQL: await place.postgres() }
  const rows: Row[] = []
  for (const [engine, url] of Object.entries(urls)) {
    const server = await place.server(startConduct(url))
    await load(server.url, seedOf(server), { requests: logged })
    const rates: number[] = []
    for (let time = 0; time < times; time++) rates.push(await catchUp(server))
    const delays = await measureDelays(server)
    rows.push(
      {
        title: `${engine}: events that one stream takes`,
        measured: `${Math.round(median(rates)).toLocaleString('en')}/s`,
      },
      atMost(
        `${engine}: from a write's answer to its event at a reader of the same server`,
        median(delays),
        'ms',
        { bar: 10, hope: 3 },
        `${shown(median(delays))} ms, at most ${shown(Math.max(...delays))} ms`,
      ),
    )
  }
  return rows
}

/** Events per second of a stream that starts at the beginning of the log. */
async function catchUp(server: Server): Promise<number> {
  const started = performance.now()
  const { response, told } = await listen(server, '&after=0')
  while (told.count < logged) await once(response, 'data')
  response.destroy()
  return (logged * 1000) / (performance.now() - started)
}

/** For some writes, how long after the response their event reached a reader, in milliseconds. */
async function measureDelays(server: Server): Promise<number[]> {
  const { response, told } = await listen(server, '')
  const delays: number[] = []
  for (let n = 1; n <= writes; n++) {
    await sleep(Math.random() * pauseMs)
    const body = newRun('STREAM-1')
    const request = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body }
    await (await fetch(`${server.url}/v1/runs`, request)).json()
    const answered = performance.now()
    while (told.count < n) await once(response, 'data')
    delays.push(performance.now() - answered)
  }
  response.destroy()
  return delays
}

/** Opens a stream of new runs. `told.count` is the number received. */
async function listen(server: Server, query: string) {
  const request = get(`${server.url}/v1/events?type=run.created${query}`, {
    agent: false,
    headers: { ...headers, accept: 'text/event-stream' },
  })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`A stream returned ${response.statusCode}.`)
  const told = { count: 0 }
  let rest = ''
  response.setEncoding('latin1').on('data', (piece: string) => {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    told.count += lines.filter((line) => line.startsWith('data: ')).length
  })
  return { response, told }
}
