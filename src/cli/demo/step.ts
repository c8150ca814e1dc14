import type { Client } from '../../client/client.ts'
import {
  type Agent,
  agents,
  type Chance,
  type ProductPart,
  persons,
  repository,
  steps,
  type TeamMember,
} from './data.ts'
import type { SpecPlan } from './specs.ts'

export type Team = Record<TeamMember, Client>

/** Something that a member did. */
export interface DemoStep {
  /** Milliseconds from now; negative for the past. */
  at: number
  act(team: Team): Promise<unknown>
}

export interface Task {
  /** The spec that it is an item of, if any. */
  spec?: SpecPlan
  title: string
  part: ProductPart
  /** The finished items of the spec. */
  done: Set<string>
}

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour
const branchOf = ({ spec, title }: Task) =>
  `${spec?.specId.toLowerCase() ?? 'fix'}/${title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/-$/, '')}`

/** The fields of a run when it starts. */
export function beginning(task: Task, agent: Agent, chance: Chance) {
  const { of, host, cwd } = agents[agent]
  return {
    title: task.title,
    ...(task.spec && { specId: task.spec.specId }),
    agent,
    author: persons[of],
    labels: { area: task.part.name },
    where: { host, cwd, session: chance.hex(8) },
    git: { repository, branch: branchOf(task), base: 'main', commit: chance.hex(40), dirty: false },
    content: opening(task.title),
  }
}

/** The text of a spec, with the items of `done` ticked. */
export function specText({ title, why, tasks }: Pick<SpecPlan, 'title' | 'why' | 'tasks'>, done: ReadonlySet<string>) {
  const items = tasks.map((task) => `- [${done.has(task) ? 'x' : ' '}] ${task}`)
  return `# ${title}\n\n${why}\n\n## Done when\n\n${items.join('\n')}\n`
}

const fileOf = ({ file, files }: ProductPart, chance: Chance) => file + chance.pick(files)

/** A line of a log, that many minutes after its start. */
export function lineOf(part: ProductPart, minutes: number, chance: Chance): string {
  const text = chance.pick(steps).replace('{file}', fileOf(part, chance))
  return `- ${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')} ${text}\n`
}

/** The first lines of a log. */
const opening = (title: string) => `# ${title}\n\n`

/** How many lines a session adds to the file at that place of its part. The first one has only the new test. */
export const insertionsOf = (insertions: number, at: number): number =>
  at === 0 ? firstInsertions : Math.ceil(insertions / 2 ** at)

/** How many lines the first turn of a session adds. */
export const firstInsertions = 14

/** The last answer of a successful session. */
export function closing(title: string, { file, files }: ProductPart, insertions: number, remark: string): string {
  const rows = files.map((name, at) => `| \`${file}${name}\` | +${insertionsOf(insertions, at)} |`)
  return `Done: ${title[0]?.toLowerCase()}${title.slice(1)}. ${remark}\n\n| file | |\n|---|---|\n${rows.join('\n')}\n`
}

const million = 1_000_000

/** The usage of a run of that many minutes. */
export function usageOf(agent: Agent, minutes: number, chance: Chance) {
  const { model, input, output } = agents[agent]
  const inputTokens = minutes * chance.between(9_000, 22_000)
  const outputTokens = minutes * chance.between(300, 900)
  const costUsd = Math.round((inputTokens * input + outputTokens * output) / (million / 100)) / 100
  return { model, inputTokens, outputTokens, costUsd }
}
