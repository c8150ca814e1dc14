import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Command } from 'commander'
import { ConductError } from '../../client/client.ts'
import { type LocalPlace, localUrl, placeOf } from '../../place/connect.ts'
import { isOfOther, otherDatabaseAt, serversOf } from '../../place/servers.ts'
import { withoutPassword } from '../../place/setting.ts'
import { outliving } from '../../system/limits.ts'
import { ownerOf, showsOwners } from '../../system/peer.ts'
import { opener } from '../../system/places.ts'
import { userId } from '../../system/system.ts'
import { whileWaiting } from '../../terminal/interactive.ts'
import { addCommon, addExamples, type Common } from '../../terminal/option.ts'
import { called } from '../../terminal/text.ts'
import { reach, withClient } from '../operation/call.ts'
import { printJson } from '../show/print.ts'
import { linkOf } from './banner.ts'

/** How long a browser may take to start, in milliseconds. */
const browserMs = 30_000

interface Options extends Common {
  print?: boolean
}

/** `conduct open`: opens the dashboard in the browser, with a link that logs in once. */
export function openCommand(): Command {
  const command = new Command('open').description('Open the dashboard in the browser, with a link that logs in')
  command.option('--print', 'only print the link, for another browser or a shared machine')
  addCommon(command)
  addExamples(command, ['conduct open --print'])
  return command.action(open)
}

async function open({ print, json, quiet, ...where }: Options) {
  const place = placeOf(where, process.env, process.cwd())
  const url = place.kind === 'server' ? await serverAt(place.url) : await serverHere(place)
  // Logging in needs no project.
  await withClient({ ...place, project: undefined }, async (client) => {
    const { code, expiresAt } = await client.createLoginCode()
    const link = linkOf(url, code)
    if (json) printJson({ url: link, expiresAt })
    else if (print || quiet || !process.stdout.isTTY || !(await browse(link))) process.stdout.write(`${link}\n`)
    else process.stderr.write('Opening the dashboard in the browser. If it does not open: conduct open --print\n')
  })
}

/** The address, if a Conduct answers there. Throws UNAVAILABLE with the advice if none does. */
async function serverAt(
  url: string,
  advice = 'is the address right, and does it include the base path?',
): Promise<string> {
  await whileWaiting(`Waiting for ${url}`, reach(url)).catch((cause: Error) => {
    throw new ConductError('UNAVAILABLE', `No Conduct responds at ${url} (${cause.message}): ${advice}`, { cause })
  })
  return url
}

/** This machine's server for that database: one that has published itself, else the one at the configured address. */
async function serverHere({ databaseUrl }: LocalPlace): Promise<string> {
  const expected = localUrl(process.env)
  const announced = serversOf(process.env, databaseUrl)
  const isExpected = (url: string) => Number(url === expected)
  const own = announced.filter((url) => !isOfOther(url, databaseUrl))
  for (const url of own.sort((a, b) => isExpected(b) - isExpected(a))) {
    const isThere = await whileWaiting(`Waiting for ${url}`, reach(url)).then(
      () => true,
      () => false,
    )
    if (isThere) return url
  }
  const other = otherDatabaseAt(process.env, expected, databaseUrl)
  if (other !== undefined) {
    throw new ConductError(
      'UNAVAILABLE',
      `No server is running for ${withoutPassword(databaseUrl)}; the one at ${expected} serves ${other}.`,
    )
  }
  if (isOfOther(expected, databaseUrl)) {
    throw new ConductError(
      'UNAVAILABLE',
      `The program at ${expected} belongs to another user of this machine, and would get the code that logs you in: ${called} serve --port needs another port.`,
    )
  }
  return serverAt(
    expected,
    `start it with ${called} serve, or set CONDUCT_HOST, CONDUCT_PORT and CONDUCT_BASE_PATH to where it is.`,
  )
}

/** Passes the link to the browser. Returns false if nothing could open it. */
async function browse(link: string): Promise<boolean> {
  const [program, ...words] = opener
  const asked = new AbortController()
  const server = showsOwners ? await redirectOnce(link, asked) : undefined
  try {
    // A relative folder of the PATH must not be one of the current folder.
    const child = spawn(program, [...words, server?.url ?? link], { ...outliving, stdio: 'ignore' })
    child.unref()
    // Without the redirect, a program that is still running after a while is the browser itself.
    const signal = server ? AbortSignal.any([asked.signal, AbortSignal.timeout(browserMs)]) : AbortSignal.timeout(3_000)
    const [code] = await once(child, 'exit', { signal })
    if (code !== 0 || !server) return code === 0
    await once(asked.signal, 'abort', { signal: AbortSignal.timeout(browserMs) })
    return true
  } catch (error) {
    return (error as Error).name === 'AbortError' && (server === undefined || asked.signal.aborted)
  } finally {
    server?.close()
  }
}

/**
 * An address that leads a browser of this user to the link, once; then `asked` aborts. Every user of a machine can read
 * the arguments of programs, in which the link itself would be.
 */
async function redirectOnce(link: string, asked: AbortController): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    if (asked.signal.aborted || ownerOf(request.socket) !== userId) return response.writeHead(403).end()
    response.writeHead(302, { location: link, connection: 'close' }).end(() => asked.abort())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${port}/`, close }
}
