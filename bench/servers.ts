import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPostgres } from '../test/support/setup.ts'

export interface Server {
  /** With the base path. */
  url: string
  pid: number
  /** Its output so far. */
  output(): string
  stop(signal?: NodeJS.Signals): Promise<void>
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
export const root = here('..')
export const bin = here('../bin/conduct.cjs')
export const adminKey = `sk_admin_${'0123456789'.repeat(4)}abc`

type Env = Record<string, string>

/** Starts a server of the benchmark itself: a file of this folder that prints its address. */
export const startOwn = (file: string, argument: string, env: Env = {}) => start([here(file), argument], env)

/** Starts Conduct as shipped. The rate limit is on, but too high to matter. */
export const startConduct = (databaseUrl: string, { flags = [], env = {} }: { flags?: string[]; env?: Env } = {}) =>
  start([...flags, bin, 'serve'], {
    CONDUCT_DATABASE_URL: databaseUrl,
    CONDUCT_ADMIN_KEY: adminKey,
    CONDUCT_PORT: '0',
    CONDUCT_RATE_LIMIT: '1000000000',
    CONDUCT_LOG_LEVEL: 'error',
    ...env,
  })

async function start(args: string[], env: Env): Promise<Server> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = once(child, 'exit')
  let text = ''
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      text += chunk
      const listening = /listens on (\S+)/.exec(text)?.[1]
      if (listening) resolve(listening)
    })
    void gone.then(([code]) => reject(new Error(`${args.join(' ')} ended with ${code}: ${text}`)))
  })
  return {
    url,
    pid: child.pid as number,
    output: () => text,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      await gone
    },
  }
}

/** The peak resident memory of a process in MB; NaN if the system does not report it. */
export function peakMemory({ pid }: Server): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  } catch {
    return Number.NaN
  }
}

/** Folders, databases and servers of a part. `close` removes them all, the last one first. */
export function workplace() {
  const endings: (() => void | Promise<void>)[] = []
  return {
    folder(): string {
      const path = mkdtempSync(join(tmpdir(), 'conduct-bench-'))
      endings.push(() => rmSync(path, { recursive: true, force: true }))
      return path
    },
    /** Runs at the end of the part. */
    after(end: () => void | Promise<void>): void {
      endings.push(end)
    },
    /** The URL of a new PostgreSQL server with its default settings, so durable. */
    async postgres(): Promise<string> {
      const { postgres, url, remove } = await startPostgres([])
      endings.push(async () => {
        await postgres.stop()
        remove()
      })
      return url
    },
    async server(starting: Promise<Server>): Promise<Server> {
      const server = await starting
      endings.push(() => server.stop())
      return server
    },
    /** Ends everything. An error is printed and does not stop the others. */
    async close(): Promise<void> {
      for (const end of endings.reverse()) {
        try {
          await end()
        } catch (error) {
          console.error(error)
        }
      }
    },
  }
}
export type Workplace = ReturnType<typeof workplace>
