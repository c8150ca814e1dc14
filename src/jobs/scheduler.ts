import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
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
  /** How far it is behind: rows or events that wait. */
  lag?(): Promise<number>
}

/** What a job did since the start. */
export interface JobReport {
  name: string
  steps: number
  failures: number
  /** Time spent in its steps, in milliseconds. */
  ms: number
  /** Undefined for a job that has none, or where it cannot be read. */
  lag: number | undefined
}

export interface Jobs {
  report(): Promise<JobReport[]>
  /** Ends after the steps that are under way, but does not wait long for a database that is silent. */
  stop(): Promise<void>
}

/** How long a step keeps the event loop from others. */
const stepMs = 5
/** How long the end waits for a step. */
const endMs = 500
/** After a failure a job waits, so that it does not fail as fast as it can. */
const afterFailureMs = 1_000

/** Runs jobs until they are stopped, each by itself; `warn` is given what a step throws. */
export function startJobs(db: Db, jobs: Job[], now: () => string, warn: (error: Error) => void): Jobs {
  const running = jobs.map((job) => start(db, job, now, warn))
  return {
    report: () => Promise.all(running.map((one) => one.report())),
    async stop() {
      await Promise.all(running.map((one) => one.stop()))
    },
  }
}

function start(db: Db, job: Job, now: () => string, warn: (error: Error) => void) {
  const { name, everyMs } = job
  const told = { name, steps: 0, failures: 0, ms: 0 }
  let timer: NodeJS.Timeout | undefined
  let isStopping = false
  let running: Promise<void> = Promise.resolve()

  function plan(ms: number) {
    if (!isStopping) timer = setTimeout(() => (running = work()), ms).unref()
  }

  async function work() {
    let waitMs = everyMs
    try {
      if (!job.isExclusive || (await isLeader(db, name, now()))) while (!isStopping && (await step())) await turn()
    } catch (error) {
      told.failures++
      warn(error as Error)
      waitMs = Math.max(everyMs, afterFailureMs)
    }
    plan(waitMs)
  }

  async function step(): Promise<boolean> {
    const begin = performance.now()
    try {
      return await job.step(stepMs)
    } finally {
      told.steps++
      told.ms += performance.now() - begin
    }
  }

  plan(everyMs)
  return {
    report: async (): Promise<JobReport> => ({ ...told, lag: await job.lag?.().catch(() => undefined) }),
    async stop() {
      isStopping = true
      clearTimeout(timer)
      await Promise.race([running, sleep(endMs, undefined, { ref: false })])
    },
  }
}
