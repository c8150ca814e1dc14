import type { Run } from '../../../nouns/run/fields.ts'

/** Most urgent first: work that looks done but is not, then work that stopped, then work of unknown quality. */
const urgency = ['failing', 'failed', 'lease lost', 'stale', 'unchecked'] as const

export interface Need {
  run: Run
  why: (typeof urgency)[number]
}

/** Most urgent first, then newest; and how many other runs lack a valid check. */
export interface Attention {
  needs: Need[]
  unchecked: number
  stale: number
}

/**
 * The runs of a period that someone should look at: those that failed, lost their lease or have a failing verdict,
 * unless an agent is at work on them, or a later attempt completed or was verified. Unchecked and stale runs are listed
 * only for projects that check most of their runs.
 */
export function attentionOf(runs: Run[]): Attention {
  const settled = settledOf(runs)
  const open = runs.filter((run) => !settled.has(run.id))
  const ended = open.filter(({ status }) => status === 'completed')
  const checking = checkingProjects(runs)
  const needs = open.flatMap((run): Need[] => {
    const why = whyOf(run) ?? (checking.has(run.project) ? lackOf(run) : undefined)
    return why ? [{ run, why }] : []
  })
  return {
    needs: needs.sort((a, b) => urgency.indexOf(a.why) - urgency.indexOf(b.why) || byEnd(a.run, b.run)),
    unchecked: ended.filter(({ verdict }) => verdict === 'unchecked').length,
    stale: ended.filter(({ verdict }) => verdict === 'stale').length,
  }
}

function whyOf({ status, failure, verdict, activity, rejudged }: Run): Need['why'] | undefined {
  if (status === 'failed') return failure?.code === 'LEASE_EXPIRED' ? 'lease lost' : 'failed'
  // A new rule is no news of the work.
  return verdict === 'failing' && !rejudged && activity?.state !== 'working' ? 'failing' : undefined
}

function lackOf({ status, verdict, rejudged }: Run): Need['why'] | undefined {
  if (rejudged) return undefined
  return status === 'completed' && (verdict === 'unchecked' || verdict === 'stale') ? verdict : undefined
}

/** The projects that checked most of their completed runs. */
function checkingProjects(runs: Run[]): Set<string> {
  const ended = Object.entries(Object.groupBy(runs, ({ project }) => project)).map(([project, some = []]) => {
    const completed = some.filter(({ status }) => status === 'completed')
    return { project, all: completed.length, checked: completed.filter((run) => run.verdict !== 'unchecked').length }
  })
  return new Set(ended.filter(({ all, checked }) => checked > all / 2).map(({ project }) => project))
}

/** Whether an attempt makes the earlier ones good. */
export const isGood = ({ status, verdict }: Pick<Run, 'status' | 'verdict'>) =>
  status === 'completed' || verdict === 'verified'

/** The row ids of runs that a later attempt has made good, directly or through others. */
function settledOf(runs: Run[]): Set<number> {
  const byName = new Map(runs.map((run) => [`${run.project}/${run.runId}`, run]))
  const settled = new Set<number>()
  for (const run of runs) {
    if (!isGood(run)) continue
    for (let before = byName.get(`${run.project}/${run.retryOf}`); before && !settled.has(before.id); ) {
      settled.add(before.id)
      before = byName.get(`${before.project}/${before.retryOf}`)
    }
  }
  return settled
}

/** When a run ended; when it was created, if it has not. */
export const endOf = (run: Run): string => run.endedAt ?? run.createdAt

/** Sorts the newest end first. Runs that ended at the same time keep their order. */
export const byEnd = (a: Run, b: Run): number => Date.parse(endOf(b)) - Date.parse(endOf(a))
