import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as after } from 'node:timers/promises'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { fieldsOf, type JsonFields } from '../../../src/recorder/agents/fields.ts'
import { anthropic } from './anthropic.ts'
import { type Call, canWork, sentFor } from './call.ts'
import { chat } from './chat.ts'
import type { Dialect, Message } from './dialect.ts'
import { gemini } from './gemini.ts'
import { type Played, play } from './play.ts'
import { responses } from './responses.ts'
import { noTokens, type Reply, type Script } from './script.ts'
import { toolsIn } from './tools.ts'

const dialects: readonly Dialect[] = [anthropic, responses, chat, gemini]

/** The reply to a request for a title or a summary. */
const aside: Reply = { say: '{"title": "Scripted"}', tokens: noTokens }

/** At a terminal, Codex lets another thread with all of its tools find a title. */
const titleWanted = 'Generate a concise, single-line task title'

export interface Model {
  /** The URL of the model for the session of that name. */
  urlOf(name: string): string
  /** From now on the model replies to the session of that name with the script. */
  play(name: string, script: Script): Played
  close(): Promise<void>
}

/**
 * Starts a scripted model on 127.0.0.1 with the APIs of Anthropic, OpenAI and Google. Each reply takes `pace`
 * milliseconds.
 */
export async function startModel({ pace = 300 } = {}): Promise<Model> {
  const sessions = new Map<string, Played>()
  const server = createServer((request, response) => {
    answer({ sessions, pace }, request, response).catch((error: unknown) => {
      if (!response.headersSent) sendJson(response, 500, { error: { message: String(error) } })
      response.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    urlOf: (name) => `http://127.0.0.1:${port}/${name}`,
    play(name, script) {
      const played = play(script, () => [...sessions.values()])
      sessions.set(name, played)
      return played
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

interface Serving {
  sessions: Map<string, Played>
  pace: number
}

async function answer({ sessions, pace }: Serving, request: IncomingMessage, response: ServerResponse) {
  const body = await bodyOf(request)
  const { pathname } = new URL(String(request.url), 'http://localhost')
  const [, name = '', path = ''] = /^\/([^/]+)(\/.*)$/.exec(pathname) ?? []
  const dialect = dialects.find(({ serves }) => serves(path))
  const played = sessions.get(name)
  if (!dialect || !played) return sendJson(response, ...otherwise(path))
  const tools = toolsIn(body)
  const asked = dialect.asked(body)
  const isOfSession = canWork(tools) && !asked.includes(titleWanted)
  const { reply, calls } = isOfSession ? await played.next(asked, tools) : { reply: aside, calls: [] }
  // The request stays open until the agent is interrupted.
  if (reply.hangs) return
  await after(pace)
  if (reply.fails) return sendJson(response, reply.fails.status, dialect.failure(reply.fails))
  send(response, messageOf(dialect, { body, path }, reply, calls))
}

function messageOf(
  dialect: Dialect,
  request: { body: JsonFields; path: string },
  reply: Reply,
  calls: Call[],
): Message {
  const sent = calls.map(sentFor)
  return dialect.answer({ text: reply.say, calls: sent, tokens: reply.tokens ?? noTokens }, request)
}

async function bodyOf(request: IncomingMessage): Promise<JsonFields> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const raw = Buffer.concat(chunks)
  if (raw.length === 0) return {}
  const unpack = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync }[
    String(request.headers['content-encoding'])
  ]
  return fieldsOf(JSON.parse((unpack ? unpack(raw) : raw).toString('utf8')))
}

/** Responses to other requests of agents: the number of tokens in a text, and the list of models. */
function otherwise(path: string): [status: number, body: unknown] {
  if (path.endsWith('/count_tokens')) return [200, { input_tokens: 0 }]
  if (path.endsWith(':countTokens')) return [200, { totalTokens: 0 }]
  if (path.endsWith('/models')) return [200, { object: 'list', data: [], models: [], has_more: false }]
  return [404, { error: { type: 'not_found_error', message: `The scripted model has no ${path}.` } }]
}

function sendJson(response: ServerResponse, status: number, body: unknown) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function send(response: ServerResponse, message: Message) {
  if ('json' in message) return sendJson(response, 200, message.json)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const { name, data } of message.events)
    response.write(`${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`)
  response.end(message.last)
}
