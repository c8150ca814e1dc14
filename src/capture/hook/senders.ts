import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Env } from '../../place/folders.ts'
import { isSource, root } from '../../root.ts'
import { outliving } from '../../system/limits.ts'

/** How long a sender waits for something new before it ends, in milliseconds. */
const restMs = 20_000

/** The processes that send what the resident recorder notes: `conduct sync`, one for each environment. */
export interface Senders {
  /** Has everything sent that waits, soon. */
  wake(env: Env): void
  /** Lets each finish what it does. */
  end(): void
}

interface Sender {
  child: ChildProcess
  timer: NodeJS.Timeout
}

export function openSenders(): Senders {
  const senders = new Map<string, Sender>()

  function start(key: string, env: Env): Sender {
    const child = spawn(process.execPath, [mainFile, 'sync', '--quiet', '--follow'], {
      ...{ ...outliving, env },
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    const timer = setTimeout(() => finish(key), restMs)
    const forget = () => {
      clearTimeout(timer)
      if (senders.get(key)?.child === child) senders.delete(key)
    }
    child.on('error', forget)
    child.on('exit', forget)
    child.stdin.on('error', () => {})
    const sender = { child, timer }
    senders.set(key, sender)
    return sender
  }

  /** The sender does what it was told before, and ends. The next wake starts another. */
  function finish(key: string) {
    senders.get(key)?.child.stdin?.end()
    senders.delete(key)
  }

  return {
    wake(env) {
      const key = keyOf(env)
      const { child, timer } = senders.get(key) ?? start(key, env)
      timer.refresh()
      child.stdin?.write('\n')
    },
    end() {
      for (const [key, { timer }] of senders) {
        clearTimeout(timer)
        finish(key)
      }
    },
  }
}

/** What decides where something is sent. */
const keyOf = (env: Env) =>
  JSON.stringify(Object.entries(env).filter(([name]) => /^(?:HOME$|XDG_|CONDUCT_)/.test(name)))

/** The program of this command line. */
export const mainFile = join(root, isSource ? 'src/cli/main.ts' : 'dist/cli/main.js')

/** Set by the launcher of hooks where it could ask a resident recorder. */
export const launched = 'CONDUCT_LAUNCHED'

/**
 * Has what waits sent by a process that outlives this one, and returns at once: by the resident recorder, which it starts
 * if needed, or else by a `conduct sync`.
 */
export function wakeSync({ [launched]: isLaunched, ...env }: Env) {
  const words = isLaunched ? ['recorder'] : ['sync', '--quiet']
  const child = spawn(process.execPath, [mainFile, ...words], { ...outliving, stdio: 'ignore', env })
  child.on('error', () => {})
  child.unref()
}
