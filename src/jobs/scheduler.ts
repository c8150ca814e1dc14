import { setTimeout as sleep, setImmediate as tick } from 'node:timers/promises'
import type { Db } from '../store/engine/db.ts'
import { isLeader } from './leader.ts'

/** Work that a server does beside its requests. */
export interface Job {
  name: string
  /** How long after its last step it looks again whether there is something to do, in milliseconds. */
  everyMs: number
  /** Whether one server at a time does it for all. */
  isExclusive?: boolean
  /** Does some of the work, for about `ms` milliseconds at most. Returns whether there is more to do. */
  step(ms: number): Promise<boolean>
  /** Ends what its steps have left under way, or does it once more. */
  stop?(): Promise<void>
}

export interface Jobs {
  /** Ends after the steps that are under way, but does not wait long for a database that is silent. */
  stop(): Promise<void>
}

/** How long a step keeps the event loop from others. */
const stepMs = 5
/** How long the end waits for a step. */
const endMs = 500
/** After a failure a job waits, so that it does not fail as fast as it can. */
const afterFailureMs = 1_000

/** Runs jobs until they are stopped, independently of each other; `warn` receives what a step throws. */
export function startJobs(db: Db, jobs: Job[], now: () => string, warn: (error: Error) => void): Jobs {
  const workers = jobs.map((job) => new Worker(job, () => isLeader(db, job.name, now()), warn))
  return {
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop()))
    },
  }
}

/** Runs one job from now on. */
class Worker {
  readonly #job: Job
  readonly #isLeader: () => Promise<boolean>
  readonly #warn: (error: Error) => void
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #isStopping = false

  constructor(job: Job, isLeader: () => Promise<boolean>, warn: (error: Error) => void) {
    this.#job = job
    this.#isLeader = isLeader
    this.#warn = warn
    this.#runIn(job.everyMs)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#timer)
    const ended = Promise.all([this.#running, this.#job.stop?.().catch(this.#warn)])
    await Promise.race([ended, sleep(endMs, undefined, { ref: false })])
  }

  #runIn(ms: number): void {
    if (this.#isStopping) return
    this.#timer = setTimeout(() => {
      this.#running = this.#run()
    }, ms).unref()
  }

  /** Works until there is nothing left to do, and plans the next run. */
  async #run(): Promise<void> {
    const { isExclusive, everyMs } = this.#job
    let waitMs = everyMs
    try {
      if (!isExclusive || (await this.#isLeader())) await this.#work()
    } catch (error) {
      this.#warn(error as Error)
      waitMs = Math.max(everyMs, afterFailureMs)
    }
    this.#runIn(waitMs)
  }

  async #work(): Promise<void> {
    while (!this.#isStopping && (await this.#job.step(stepMs))) await tick()
  }
}
