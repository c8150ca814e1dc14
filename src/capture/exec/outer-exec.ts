import { setTimeout as sleep } from 'node:timers/promises'
import type { Git } from '../../nouns/run/work-fields.ts'
import type { Env } from '../../place/folders.ts'
import { topOf } from '../../place/git/repository.ts'
import { type Place, samePlace } from '../../place/place.ts'
import { ancestorsOf } from '../spool/process.ts'
import { reconnect } from '../spool/reconnect.ts'
import type { State } from '../spool/state.ts'
import { patienceMs } from './farewell.ts'

type Work = Pick<Git, 'commit' | 'commitTree' | 'tree' | 'dirty'>

interface Here {
  state: State
  place: Place
  cwd: string
  env: Env
}

/**
 * Tells a run the files as they are now if the `conduct exec` that records it is above this process, in the same
 * repository. Otherwise a check inside it would be compared with the files as they were when the command began. If this
 * fails, nothing is lost: the command's end tells them again.
 */
export async function tellOuterExec(runId: string, work: Work, here: Here): Promise<void> {
  const late = sleep(patienceMs, undefined, { ref: false })
  await Promise.race([tell(runId, work, here), late]).catch(() => {})
}

async function tell(runId: string, { commit, commitTree, tree, dirty }: Work, here: Here): Promise<void> {
  const leaseToken = leaseOfOuter(runId, here)
  if (leaseToken === undefined || tree === undefined) return
  const { client, close } = await reconnect(here.place, here.env)
  try {
    const { git } = (await client.getRun({ runId })).run
    if (git?.tree && git.tree !== tree) {
      await client.updateRun({ runId, leaseToken, git: { ...git, commit, commitTree, tree, dirty, uncommitted: null } })
    }
  } finally {
    await close()
  }
}

/** The lease of the run that a `conduct exec` above this process records here; undefined if there is none. */
export function leaseOfOuter(runId: string, { state, place, cwd }: Here): string | undefined {
  const above = ancestorsOf(process.pid).map(({ id }) => id)
  const outer = state
    .handedOn(runId, above)
    .find((one) => one.kind === 'exec' && !one.ended && samePlace(one.place, place))
  return outer && topOf(outer.cwd) === topOf(cwd) ? (outer.leaseToken ?? undefined) : undefined
}
