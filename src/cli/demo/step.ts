import type { Client } from '../../client/client.ts'
import type { Chance } from './chance.ts'
import { type Agent, agents, type Member, type Part, repository } from './data.ts'
import type { SpecPlan } from './specs.ts'
import { opening } from './text.ts'

export type Team = Record<Member, Client>

/** Something that a member did. */
export interface Step {
  /** Milliseconds from now; negative for the past. */
  at: number
  act(team: Team): Promise<unknown>
}

export interface Task {
  spec: SpecPlan
  title: string
  part: Part
  /** The finished items of the spec. */
  done: Set<string>
}

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour
const branchOf = ({ spec: { specId }, title }: Task) =>
  `${specId.toLowerCase()}/${title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/-$/, '')}`

/** The fields of a run when it starts. */
export function beginning(task: Task, agent: Agent, chance: Chance) {
  const { host, cwd } = agents[agent]
  return {
    title: task.title,
    specId: task.spec.specId,
    agent,
    labels: { area: task.part.name },
    where: { host, cwd, session: chance.hex(8) },
    git: { repository, branch: branchOf(task), base: 'main', commit: chance.hex(40), dirty: false },
    content: opening(task.title),
  }
}
