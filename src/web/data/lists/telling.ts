import { mailOf } from '../../../contract/person.ts'
import type { Run } from '../../../nouns/run/fields.ts'
import { byEnd } from '../runs/run-events.ts'

/** What is counted of a run. */
export type Counted = Pick<Run, 'author' | 'status' | 'verdict' | 'usage' | 'changes' | 'endedAt' | 'createdAt'>

/** A person's part of the runs. */
export interface Share {
  author: string | null
  runs: number
  failed: number
}

export interface DaySums {
  failed: number
  failing: number
  /** The reported costs; undefined if no run has one. */
  costUsd: number | undefined
  /** How many runs have one. */
  costed: number
  /** By person, those with the most runs first. */
  shares: Share[]
}

export function sumsOf(runs: readonly Counted[]): DaySums {
  const costs = runs.flatMap(({ usage }) => usage?.costUsd ?? [])
  const people = Map.groupBy(runs, ({ author }) => mailOf(author) ?? author)
  const shares = [...people.values()].map((its) => ({
    author: its[0]?.author ?? null,
    runs: its.length,
    failed: its.filter(({ status }) => status === 'failed').length,
  }))
  return {
    failed: runs.filter(({ status }) => status === 'failed').length,
    failing: runs.filter((run) => run.status !== 'failed' && run.verdict === 'failing').length,
    costUsd: costs.length > 0 ? costs.reduce((sum, cost) => sum + cost, 0) : undefined,
    costed: costs.length,
    shares: shares.toSorted((a, b) => b.runs - a.runs),
  }
}

const mostTelling = 5
const mostWrong = 2

const isWrong = ({ status, verdict }: Counted) => status === 'failed' || verdict === 'failing'
const weightOf = ({ changes, usage }: Counted) =>
  (changes?.insertions ?? 0) + (changes?.deletions ?? 0) + 100 * (usage?.costUsd ?? 0)

/** The runs that say most about what happened: the two newest failures and those with the most work, by their end. */
export function tellingOf<R extends Counted>(runs: readonly R[]): R[] {
  const wrong = runs.filter(isWrong).slice(0, mostWrong)
  const others = runs
    .filter((run) => !wrong.includes(run))
    .toSorted((a, b) => weightOf(b) - weightOf(a) || Number(isWrong(b)) - Number(isWrong(a)))
  return [...wrong, ...others.slice(0, mostTelling - wrong.length)].toSorted(byEnd)
}
