import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { type Client, ConductError, createClient } from '../../src/client/client.ts'
import { adminKey } from '../support/server.ts'
import { isBeside } from './size.ts'

/** A run as read back, or null if it does not exist. */
type State = { content: string; version: number; features: number[] } | null

/** Each touched run, with the states that it may have: two if its last change was not acknowledged. */
export type Touched = Map<string, State[]>

interface Writers {
  touched: Touched
  /** The number of acknowledged changes. */
  acknowledged(): number
  /** Waits until `reached` is true. Throws the first error that does not pass. */
  until(reached: () => boolean): Promise<void>
  /** Lets each writer finish its change, and stops it. Throws the first error that does not pass. */
  stop(): Promise<void>
}

/** A client that tries once. */
export const clientOf = ({ url }: { url: string }) => createClient({ url, key: adminKey, attempts: 1 })

/** Whether a server turned a call away because other tests kept the database busy. A proof at full size is alone. */
export const isTurnedAway = ({ status }: ConductError) => isBeside && status === 503

/** Whether a call got no response, for example because its server is gone. */
export const noAnswer = ({ code, requestId }: ConductError) => code === 'UNAVAILABLE' && requestId === undefined

/** Whether a call got no response, or was turned away because of other tests. */
export const isCutOff = (error: ConductError) => noAnswer(error) || isTurnedAway(error)

/**
 * Starts writers, each with runs of its own. They create runs, replace contents, link features and delete, one change
 * after the other, until they are stopped or the test ends. After an error that `passes`, a writer leaves its run and
 * begins another.
 */
export function startWriters(
  t: TestContext,
  client: Client,
  name: string,
  passes: (error: ConductError) => boolean,
  count = 16,
): Writers {
  const touched: Touched = new Map()
  let acknowledged = 0
  let stopped = false
  t.after(() => {
    stopped = true
  })

  async function attempt(call: () => Promise<unknown>): Promise<boolean> {
    try {
      await call()
      acknowledged++
      return true
    } catch (error) {
      if (!(error instanceof ConductError && passes(error))) throw error
      await sleep(10)
      return false
    }
  }

  async function workOn(runId: string) {
    let before: State = null
    for (const { after, call } of stepsOf(client, runId)) {
      touched.set(runId, [before, after])
      if (!(await attempt(call))) return
      touched.set(runId, [after])
      before = after
    }
  }

  async function createNext() {
    const content = someText('next')
    await attempt(async () => {
      const { run } = await client.createRun({ content })
      assert(!touched.has(run.runId), `${run.runId} was handed out twice`)
      touched.set(run.runId, [{ content, version: 1, features: [] }])
    })
  }

  async function write(writer: number) {
    for (let n = 0; !stopped; n++) await (n % 3 === 2 ? createNext() : workOn(`${name}-${writer}-${n}`))
  }

  const done = Promise.all(Array.from({ length: count }, (_, writer) => write(writer))).finally(() => {
    stopped = true
  })
  done.catch(() => {})
  return {
    touched,
    acknowledged: () => acknowledged,
    async until(reached) {
      while (!reached() && !stopped) await sleep(5)
      if (!reached()) await done
    },
    async stop() {
      stopped = true
      await done
    },
  }
}

/** The changes of one run, each with the state that it causes. */
function stepsOf(client: Client, runId: string): { after: State; call: () => Promise<unknown> }[] {
  const content = someText(runId)
  const replaced = someText(runId)
  const features = [1 + Math.floor(Math.random() * 20), 21 + Math.floor(Math.random() * 20)]
  const steps = [
    { after: { content, version: 1, features: [] }, call: () => client.createRun({ runId, content }) },
    {
      after: { content: replaced, version: 2, features: [] },
      call: () => client.updateRun({ runId, content: replaced, status: 'completed' }),
    },
    {
      after: { content: replaced, version: 2, features },
      call: () => client.linkFeatures({ runId, featureIds: features }),
    },
  ]
  if (Math.random() < 0.7) return steps
  return [...steps, { after: null, call: () => client.deleteRun({ runId }) }]
}

/** A unique text, from a few bytes to some pages of the database. */
const someText = (name: string) =>
  `# ${name} ${Math.random()}\n${'Zeile → 行 😀\n'.repeat(Math.floor(1000 * Math.random() ** 4))}`

/** Asserts that each run reads back, byte for byte, as one of the states that it may have. */
export async function readBack(client: Client, touched: Touched): Promise<void> {
  const left = [...touched]
  async function read() {
    for (let next = left.pop(); next; next = left.pop()) {
      const [runId, states] = next
      const found = await stateOf(client, runId)
      assert(
        states.some((state) => isDeepStrictEqual(state, found)),
        `${runId} reads ${show(found)}, and must be ${states.map(show).join(' or ')}`,
      )
    }
  }
  await Promise.all(Array.from({ length: 8 }, read))
}

async function stateOf(client: Client, runId: string): Promise<State> {
  try {
    const { content, version, features } = (await client.getRun({ runId })).run
    return { content, version, features: features.map(({ id }) => id) }
  } catch (error) {
    if (error instanceof ConductError && error.code === 'NOT_FOUND') return null
    throw error
  }
}

const show = (state: State) => state && `version ${state.version} '${state.content.slice(0, 60)}' ${state.features}`
