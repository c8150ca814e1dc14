import { statSync } from 'node:fs'
import { createServer, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { type Env, folders } from '../../place/folders.ts'
import { fieldsOf } from '../../recorder/agents/fields.ts'
import { root } from '../../root.ts'
import { privateFolder } from '../../system/private.ts'
import { endSignals } from '../../system/signals.ts'
import { idOf, listenAt, socketIn } from '../../system/socket.ts'
import type { Spool } from '../spool/state.ts'
import { stateFile, stateOf } from '../spool/state-file.ts'
import { noteDocument } from './observe.ts'
import { mainFile, openSenders, type Senders } from './senders.ts'

// The resident recorder: a process of the user that takes hooks through a socket, so that an agent waits for no start of
// Node.js. The launcher of hooks asks it first, and starts Node.js where nobody answers. See ADR 26.

/** How long it stays without a hook, and how often it looks whether it is still wanted, in milliseconds. */
const [idleMs, lookMs] = [600_000, 1_000]
/** The largest message, in bytes. */
const mostBytes = 67_108_864
/** The program of the launcher. */
const program = join(root, 'bin/conduct.cjs')
/** How long another recorder may take to answer, in milliseconds. */
const answerMs = 1_000

/** Where the recorder of this user listens. Only the user can enter the folder, or write to the pipe of Windows. */
export const socketOf = (env: Env) => socketIn(folders.state(env), 'recorder')

/** Takes hooks until none comes for a while, or another recorder or program is in its place. Where it cannot, it sends. */
export async function runResident(env: Env): Promise<void> {
  const path = socketOf(env)
  privateFolder(folders.state(env))
  if (await wakes(path)) return
  const senders = openSenders()
  const notes = openNotes(env)
  let heardAt = performance.now()
  const server = createServer((incoming, response) => {
    heardAt = performance.now()
    statusOf(incoming, env, notes, senders)
      .catch(() => 500)
      .then((status) => response.writeHead(status, { connection: 'close' }).end())
  })
  // There may be no sockets: the path may be too long, or the file system may have none.
  const listening = await listenAt(server, path).catch(() => undefined)
  senders.wake(env)
  if (listening === undefined) {
    server.close()
    return senders.end()
  }
  const code = idOf(mainFile)
  await untilSignal(() => performance.now() - heardAt < idleMs && listening.isCurrent() && idOf(mainFile) === code)
  listening.end()
  // A hook whose connection is refused from now on starts Node.js itself.
  await new Promise((resolve) => server.close(resolve))
  senders.end()
  notes.close()
}

const untilSignal = (isWanted: () => boolean) =>
  new Promise<void>((resolve) => {
    const timer = setInterval(() => isWanted() || end(), lookMs)
    const end = () => {
      clearInterval(timer)
      resolve()
    }
    for (const signal of endSignals) process.once(signal, end)
  })

/** Asks the recorder that listens there to send what waits. Returns false if no recorder of this program does. */
const wakes = (path: string) =>
  new Promise<boolean>((resolve) => {
    const call = request({ socketPath: path, path: '/wake', method: 'POST', timeout: answerMs }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(false))
    call.end(`${program}\0`)
  })

/**
 * Answers `POST /hook/<agent>` and `POST /wake`, with 200 once the document is on disk. The body has the program of the
 * caller, for a hook also its process and its environment, and the document; each ends with a NUL but the last.
 */
async function statusOf(incoming: IncomingMessage, own: Env, notes: Notes, senders: Senders): Promise<number> {
  const at = Date.now()
  const [caller, pid, ...rest] = (await bodyOf(incoming)).split('\0')
  if (caller !== program) return 409
  const [, about, agent = ''] = incoming.url?.split('/') ?? []
  if (about === 'wake') {
    senders.wake(own)
    return 200
  }
  const document = fieldsOf(JSON.parse(rest.pop() ?? ''))
  const env = envWith(own, rest)
  // That is where git is.
  process.env.PATH = env.PATH ?? own.PATH
  const { isDue } = await noteDocument({ agent, document, env, at, process: Number(pid) }, () => notes.open())
  if (isDue) senders.wake(env)
  return 200
}

/** The environment of a hook: ours, but for the variables that it names. */
function envWith(own: Env, given: string[]): Env {
  const env = { ...own }
  for (const one of given) {
    const [name = ''] = one.split('=', 1)
    const value = one.slice(name.length + 1)
    if (value === '') delete env[name]
    else env[name] = value
  }
  return env
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of incoming as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > mostBytes) throw new Error('the document is too large')
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

interface Notes {
  /** The state of this user. It stays open while its file does. */
  open(): Spool
  close(): void
}

function openNotes(env: Env): Notes {
  const file = stateFile(env)
  let known: { state: Spool; file: string } | undefined
  const close = () => {
    known?.state.close()
    known = undefined
  }
  return {
    open() {
      if (known && known.file === inodeOf(file)) return known.state
      close()
      known = { state: stateOf(env), file: inodeOf(file) }
      return known.state
    },
    close,
  }
}

const inodeOf = (path: string) => String(statSync(path, { throwIfNoEntry: false })?.ino)
