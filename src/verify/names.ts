import { isDeepStrictEqual } from 'node:util'
import type { Client } from '../client/client.ts'
import { type Changes, isErased } from '../log/event.ts'
import type { Leaf } from '../log/seal/routes.ts'
import type { Key } from '../nouns/key/fields.ts'
import type { Project } from '../nouns/project/fields.ts'
import type { Fault } from './heads.ts'

/** What the log tells of a key or a project. */
interface Told {
  projectId: number | null
  subject: string
  isDeleted: boolean
  state: Record<string, unknown>
}

/** The fields whose changes are all in the log. */
const fields = {
  keys: ['name', 'permissions', 'person', 'machine', 'expiresAt', 'revokedAt'],
  projects: ['name', 'repository', 'retention'],
} as const

/** The names of actors without a key, by kind. */
const ownNames: Record<string, (string | null)[]> = { local: [null], system: [null, 'retention'] }

/** The names that events show, each with the first event that shows it. */
type Seen<Id> = Map<Id, Map<string | null, number>>

/** A project that version 0.1 created with the ledger, without an event. */
const untold = { id: 1, slug: 'default' }

/**
 * Compares the names of keys and projects, and whose keys are and what they may do, with the log. The seal does not cover
 * their tables, but each change of them is an event.
 */
export class Names {
  readonly #keys = new Map<number, Told>()
  readonly #projects = new Map<number, Told>()
  readonly #keyNames: Seen<number> = new Map()
  readonly #slugs: Seen<number> = new Map()
  /** By the kind of an actor without a key. */
  readonly #kinds: Seen<string> = new Map()

  /** Takes the events in their order. */
  add(leaf: Leaf, changes: Changes): void {
    const { seq, type, keyId, projectId, actorKind, actor, project } = leaf
    if (keyId !== null && actor !== undefined) note(this.#keyNames, keyId, actor, seq)
    if (keyId === null && actorKind !== null && actor !== undefined) note(this.#kinds, actorKind, actor, seq)
    if (projectId !== null && project !== undefined) note(this.#slugs, projectId, project, seq)
    if (type.startsWith('key.')) tell(this.#keys, leaf, changes)
    if (type.startsWith('project.')) tell(this.#projects, leaf, changes)
  }

  /** `shown` has the rows that did not change while the log was read, `isWhole` says whether no event was dropped. */
  faults(shown: Shown, isWhole: boolean): Fault[] {
    return [...this.#faultsInEvents(), ...this.#faultsOfKeys(shown, isWhole), ...this.#faultsOfProjects(shown, isWhole)]
  }

  /** The keys and projects whose names the log does not tell, or no longer. */
  unknown({ keys, projects }: Shown) {
    const ids = new Set([...keys.map(({ id }) => id), ...this.#keyNames.keys()])
    const live = this.#live()
    const slugs = [...this.#slugs].flatMap(([id, names]) => (this.#projects.has(id) ? [] : [...names.keys()]))
    return {
      keys: [...ids].filter((id) => typeof this.#keys.get(id)?.state.name !== 'string'),
      projects: [...new Set([...projects.map(({ slug }) => slug), ...slugs])].filter((slug) => !live.has(slug ?? '')),
    }
  }

  /** The projects that were not deleted, by slug. */
  #live(): Map<string, Told> {
    return new Map([...this.#projects.values()].flatMap((told) => (told.isDeleted ? [] : [[told.subject, told]])))
  }

  #faultsInEvents(): Fault[] {
    const ofKeys = [...this.#keyNames].flatMap(([id, names]) => {
      const name = this.#keys.get(id)?.state.name
      return typeof name === 'string' ? misnamed(`key ${id}`, names, [name]) : []
    })
    const ofProjects = [...this.#slugs].flatMap(([id, names]) => {
      const { subject, isDeleted } = this.#projects.get(id) ?? {}
      if (subject === undefined) return []
      return misnamed(`project ${id}`, names, isDeleted ? [subject, freed(subject, id)] : [subject])
    })
    const ofOthers = [...this.#kinds].flatMap(([kind, names]) =>
      misnamed(`the actor ${kind}`, names, ownNames[kind] ?? []),
    )
    return [...ofKeys, ...ofProjects, ...ofOthers]
  }

  #faultsOfKeys({ keys }: Shown, isWhole: boolean): Fault[] {
    return keys.flatMap((key) => {
      const told = this.#keys.get(key.id)
      if (!told) return isWhole ? [{ words: `No event of the log created key ${key.id}.` }] : []
      const state: Told['state'] = { ...told.state, project: this.#slugOf(told.projectId) }
      return [...fields.keys, 'project' as const].flatMap((field) =>
        differing(`key ${key.id}`, field, key[field], state[field]),
      )
    })
  }

  #faultsOfProjects({ projects }: Shown, isWhole: boolean): Fault[] {
    const live = this.#live()
    return projects.flatMap((project) => {
      const told = live.get(project.slug)
      const isKnown = !isWhole || (project.slug === untold.slug && !this.#projects.has(untold.id))
      if (!told) return isKnown ? [] : [{ words: `No event of the log created the project ${project.slug}.` }]
      return fields.projects.flatMap((field) =>
        differing(`project ${project.slug}`, field, project[field], told.state[field]),
      )
    })
  }

  /** The slug that lists show for a project; undefined if the log does not tell it. */
  #slugOf(id: number | null): string | null | undefined {
    if (id === null) return null
    const told = this.#projects.get(id)
    return told?.isDeleted ? freed(told.subject, id) : told?.subject
  }
}

/** The slug of a deleted project, which makes the old one free. */
const freed = (slug: string, id: number) => `${slug}~${id}`

function note<Id>(names: Seen<Id>, id: Id, name: string | null, seq: number): void {
  const known = names.get(id) ?? new Map()
  names.set(id, known)
  if (!known.has(name)) known.set(name, seq)
}

function tell(all: Map<number, Told>, { type, subject, subjectId, projectId }: Leaf, changes: Changes): void {
  const known = all.get(subjectId)
  // What created it was dropped, so the log does not tell the rest.
  if (!known && !type.endsWith('.created')) return
  const after = Object.entries(changes).map(([field, [, value]]) => [field, value])
  const state = { ...known?.state, ...Object.fromEntries(after) }
  all.set(subjectId, { projectId, subject, isDeleted: type.endsWith('.deleted'), state })
}

const misnamed = (what: string, names: Map<string | null, number>, right: (string | null)[]): Fault[] =>
  [...names].flatMap(([name, seq]) => {
    if (right.includes(name)) return []
    return {
      seq,
      until: seq,
      words: `Event ${seq} shows ${what} as ${quoted(name)}, and the log names it ${quoted(right[0])}.`,
    }
  })

function differing(what: string, field: string, shown: unknown, told: unknown): Fault[] {
  const isUntold = shown === undefined || (told === undefined && field === 'project') || hasErased(told)
  if (isUntold || isDeepStrictEqual(plain(shown), plain(told ?? null))) return []
  const verb = field === 'permissions' ? 'are' : 'is'
  return [{ words: `The ${field} of ${what} ${verb} ${quoted(shown)}, and ${quoted(told ?? null)} in the log.` }]
}

const hasErased = (value: unknown): boolean =>
  isErased(value) || (typeof value === 'object' && value !== null && Object.values(value).some(hasErased))

const plain = (value: unknown) => (Array.isArray(value) ? value.toSorted() : value)

const quoted = (value: unknown) => JSON.stringify(value)

/** The keys and projects as a server lists them. */
export interface Shown {
  keys: Key[]
  projects: Project[]
}

const limit = 100

/** Needs an admin key of the whole server. */
export async function readShown(client: Client): Promise<Shown> {
  const keys = await readAll<Key>(async (cursor) => {
    const { keys, meta } = await client.listKeys({ limit, cursor })
    return { rows: keys, meta }
  })
  const projects = await readAll<Project>(async (cursor) => {
    const { projects, meta } = await client.listProjects({ limit, cursor })
    return { rows: projects, meta }
  })
  return { keys, projects }
}

interface Page<Row> {
  rows: Row[]
  meta: { hasMore: boolean; nextCursor?: string | undefined }
}

async function readAll<Row>(read: (cursor: string | undefined) => Promise<Page<Row>>): Promise<Row[]> {
  const all: Row[] = []
  for (let cursor: string | undefined; ; ) {
    const { rows, meta } = await read(cursor)
    all.push(...rows)
    if (!meta.hasMore || meta.nextCursor === undefined) return all
    cursor = meta.nextCursor
  }
}

/** The keys and projects that stood in both, with the same fields that the log tells. */
export function unchanged(before: Shown, after: Shown): Shown {
  const same = <Row>(old: Row[], rows: Row[], told: (row: Row) => unknown) =>
    rows.filter((row) => old.some((one) => isDeepStrictEqual(told(one), told(row))))
  return {
    keys: same(before.keys, after.keys, ({ lastUsedAt: _, ...told }) => told),
    projects: same(before.projects, after.projects, ({ slug, version }) => [slug, version]),
  }
}
