import { createContext } from 'preact'
import type { ConductError, Input, Output } from '../../../client/client.ts'
import type { Event } from '../../../log/fields.ts'
import { type List, useList } from '../query/list.ts'
import { useRead } from '../query/read.ts'
import { client, clientOf } from '../query/server.ts'
import { serverNow } from '../query/timing.ts'
import { pollMs } from './lanes.ts'

export type NeedsGroup = NonNullable<Output<'listAttention'>['grouped']>[number]
export type RunsOfGroup = Pick<NeedsGroup, 'project' | 'runIds'>
export type Need = NeedsGroup['attention'][number]
export type DecisionPatch = Omit<Input<'updateAttention'>, 'runIds'>

const periodMs = 14 * 86_400_000

/** The start of the period whose unchecked and stale runs are counted. */
export const attentionSince = (): Date => new Date(serverNow() - periodMs)

interface ShownNeeds {
  /** What is probably one problem each, the newest first. */
  groups: NeedsGroup[]
  /** How many runs need attention. */
  count: number
  /** Whether there are more runs than were counted. */
  hasMore: boolean
  /** Whether there are more groups than these. */
  isCut: boolean
  /** Whether it is loaded. */
  isRead: boolean
  /** Whether it is the list of the chosen projects, not that of the previous ones. */
  isCurrent: boolean
  error: ConductError | undefined
}

const nothing = { groups: [], count: 0, hasMore: false, isCut: false }

export const AttentionContext = createContext<ShownNeeds>({
  ...nothing,
  isRead: false,
  isCurrent: false,
  error: undefined,
})

/**
 * What needs attention, kept up to date while the page is open. No event says that an agent begins or stops working on a
 * run, so the page polls.
 */
export function useAttention(projects: string[], mine: true | undefined): ShownNeeds {
  const project = projects.length > 0 ? projects : undefined
  const { data, error, isCurrent } = useRead(
    `attention ${mine} ${projects.join(' ')}`,
    (signal) => client.listAttention({ project, mine, group: 'spec', limit: 100 }, { signal }),
    { touches: (event) => touches(event) || event.type.startsWith('project.'), restMs: 1000, everyMs: pollMs },
  )
  const { grouped = [], count = 0, isPartial = false, meta } = data ?? {}
  const isCut = meta?.hasMore ?? false
  return { groups: grouped, count, hasMore: isPartial, isCut, isRead: data !== undefined, isCurrent, error }
}

export const touches = ({ type }: Event) => type.startsWith('attention.')

const mostAtOnce = 100

/** Changes what is decided about runs of a project. */
export async function decide(project: string, runIds: readonly string[], decision: DecisionPatch): Promise<void> {
  for (let at = 0; at < runIds.length; at += mostAtOnce) {
    await clientOf(project).updateAttention({ runIds: runIds.slice(at, at + mostAtOnce), ...decision })
  }
}

/** All runs of a group, the newest first. */
export async function runsOf({ project, runIds }: RunsOfGroup, signal?: AbortSignal): Promise<Need[]> {
  const rows: Need[] = []
  for (let at = 0; at < runIds.length; at += mostAtOnce) {
    const some = runIds.slice(at, at + mostAtOnce)
    const { attention = [] } = await clientOf(project).listAttention({ runId: some, limit: mostAtOnce }, { signal })
    rows.push(...attention)
  }
  return rows
}

/** The runs that people have put off or resolved, the newest first. */
export function useDecided(state: 'put-off' | 'resolved', projects: string[], mine: true | undefined): List<Need> {
  const project = projects.length > 0 ? projects : undefined
  return useList(
    `${state} ${mine} ${projects.join(' ')}`,
    'attention',
    async (page, options) => {
      const { attention = [], meta } = await client.listAttention({ project, mine, state, ...page }, options)
      return { attention, meta }
    },
    { touches },
  )
}
