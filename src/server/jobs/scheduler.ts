import { randomUUID } from 'node:crypto'
import { setTimeout as sleep, setImmediate as tick } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { shifted } from '../../contract/span.ts'
import type { Db } from '../../engine/db.ts'

/** A background job of a server. */
export interface Job {
  name: string
  /** How long to wait after a step without work, in milliseconds. */
  everyMs: number
  /** Whether only one server at a time does it, for all servers. */
  isExclusive?: boolean
  /** Does some of the work, for about `ms` milliseconds. Returns whether there is more. */
  step(ms: number): Promise<boolean>
  /** Finishes or aborts what its steps have started. */
  stop?(): Promise<void>
}

export interface Jobs {
  /** Waits for steps in progress, but not long for a database that does not answer. */
  stop(): Promise<void>
}

/** How long a step may block the event loop, in milliseconds. */
const stepMs = 5
/** How long the end waits for a step, and for what a job finishes then, in milliseconds. */
const endMs = 500
const finishMs = 2_000
/** The pause after a failure, so that a job does not fail in a tight loop. */
const afterFailureMs = 1_000

/** Runs jobs independently of each other until they are stopped. `warn` receives the errors of their steps. */
export function startJobs(db: Db, jobs: Job[], now: () => string, warn: (error: Error) => void): Jobs {
  const workers = jobs.map((job) => new Worker(job, () => isLeader(db, job.name, now()), warn))
  return {
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop()))
      await Promise.race([resign(db).catch(warn), sleep(endMs, undefined, { ref: false })])
    },
  }
}

/** Runs one job. */
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
    await Promise.race([ended, sleep(this.#job.stop ? finishMs : endMs, undefined, { ref: false })])
  }

  #runIn(ms: number): void {
    if (this.#isStopping) return
    this.#timer = setTimeout(() => {
      this.#running = this.#run()
    }, ms).unref()
  }

  /** Works until nothing is left, and schedules the next run. */
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

/** How long a server keeps a job, in milliseconds. It renews this each time it looks for work. */
const heldMs = 180_000
/** A lease that ends later than this from now was taken by a server whose clock was ahead. */
const mostMs = 2 * heldMs
const me = randomUUID()

/** Whether this server does a job for all servers: it holds the job already, or the last holder's time has expired. */
export async function isLeader(db: Db, job: string, now: string): Promise<boolean> {
  const [until, latest] = [heldMs, mostMs].map((ms) => shifted(now, ms))
  const [taken] = await db.tx((tx) =>
    tx.query(sql`
      insert into job_leaders (job, server, until) values (${job}, ${me}, ${until})
      on conflict (job) do update set server = excluded.server, until = excluded.until
        where job_leaders.server = excluded.server or job_leaders.until < ${now} or job_leaders.until > ${latest}
      returning job`),
  )
  return taken !== undefined
}

/** Gives up the jobs of this server, so that its next start, or another server, need not wait until its leases expire. */
const resign = (db: Db): Promise<unknown> => db.tx((tx) => tx.query(sql`delete from job_leaders where server = ${me}`))
