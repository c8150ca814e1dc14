import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openStore } from '../../src/operations/open.ts'
import { type Running, type ServeOptions, serve } from '../../src/server/serve.ts'
import { sqlite } from './engines.ts'
import { main } from './program.ts'

/** An admin key for servers that the tests start. */
export const adminKey = `sk_admin_${'0123456789'.repeat(4)}abc`

export interface ServerProcess {
  /** With the base path. */
  url: string
  process: ChildProcess
  /** All that it has written so far. */
  output(): string
  /** Sends a signal and answers the exit code (null when the signal ended it). */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** A `conduct serve` of its own on a free port, killed when the test ends. Throws with its output when it does not start. */
export async function startServer(
  t: TestContext,
  databaseUrl: string,
  env: Record<string, string> = {},
  entry = main,
): Promise<ServerProcess> {
  const state = mkdtempSync(join(tmpdir(), 'conduct-state-'))
  const child = spawn(process.execPath, [entry, 'serve'], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      XDG_STATE_HOME: state,
      CONDUCT_DATABASE_URL: databaseUrl,
      CONDUCT_ADMIN_KEY: adminKey,
      CONDUCT_PORT: '0',
      CONDUCT_RATE_LIMIT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => {
    child.kill('SIGKILL')
    rmSync(state, { recursive: true, force: true })
  })
  let text = ''
  const gone = once(child, 'exit').then(([code]) => code as number | null)
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      text += chunk
      const listening = /listens on (\S+)/.exec(text)?.[1]
      if (listening) resolve(listening)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    void gone.then((code) => reject(new Error(`conduct serve ended with ${code}: ${text}`)))
  })
  return {
    url,
    process: child,
    output: () => text,
    end: (signal) => {
      child.kill(signal)
      return gone
    },
  }
}

/**
 * The same in this process, for a test of who asks it: without a limit of requests, closed when the test ends. By
 * default its ledger is an empty file of its own.
 */
export async function openServer(
  t: TestContext,
  databaseUrl?: string,
  options: Partial<Pick<ServeOptions, 'port' | 'rateLimit' | 'corsOrigins' | 'allowedHosts' | 'webhooks'>> = {},
): Promise<Running> {
  const store = await openStore(databaseUrl ?? (await sqlite.ledger(t)).url, { adminKey })
  const running = await serve({ store, host: '127.0.0.1', port: 0, rateLimit: 0, ...options })
  t.after(() => running.stop())
  return running
}
