import { existsSync } from 'node:fs'
import type { Env } from '../../place/folders.ts'
import { stateFile, stateOf } from './state-file.ts'

/** What this machine has recorded but no server has acknowledged. */
interface UnsentSummary {
  /** The number of waiting recordings, and why the most recent delivery failed. */
  waiting: number
  trouble: string | undefined
  refused: { name: string; reason: string }[]
}

/** Throws an Error if the state cannot be read. */
export function unsentOf(env: Env): UnsentSummary {
  if (!existsSync(stateFile(env))) return { waiting: 0, trouble: undefined, refused: [] }
  using state = stateOf(env)
  const unsent = state.unsent()
  const queued = unsent.filter(({ refused }) => refused === null)
  const noted = state.noted().filter((name) => !queued.some((one) => one.name === name))
  const waiting = [...queued, ...noted.flatMap((name) => state.find(name) ?? [])]
  return {
    waiting: waiting.length,
    trouble: waiting.findLast(({ trouble }) => trouble !== null)?.trouble ?? undefined,
    refused: unsent.flatMap(({ name, refused }) => (refused === null ? [] : [{ name, reason: refused }])),
  }
}

const many = (count: number) => `${count} recording${count === 1 ? '' : 's'}`

/** The same in words, one text for what waits and one for what was refused; none where nothing is unsent. */
export function unsentWords({ waiting, trouble, refused }: UnsentSummary): { waits: string[]; refusals: string[] } {
  const wait = waiting === 1 ? 'waits' : 'wait'
  const why = trouble === undefined ? '' : `. Last attempt: ${trouble}`
  const last = refused.at(-1)
  return {
    waits:
      waiting === 0
        ? []
        : [`${many(waiting)} ${wait} to be sent; conduct sync sends ${waiting === 1 ? 'it' : 'them'}${why}`],
    refusals: last
      ? [
          `${many(refused.length)} refused; ${last.name}: ${last.reason} To retry: conduct sync. To discard it: conduct sync --discard ${last.name}`,
        ]
      : [],
  }
}
