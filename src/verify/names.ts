import { isDeepStrictEqual } from 'node:util'
import type { Client } from '../client/client.ts'
import { type Changes, isErased } from '../log/event.ts'
import type { Leaf } from '../log/seal/routes.ts'
import type { Key } from '../nouns/key/fields.ts'
import type { Project } from '../nouns/project/fields.ts'
import type { Mismatch } from './heads.ts'

/** What the log tells of a key or a project. */
interface LoggedState {
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
type SeenNames<Id> = Map<Id, Map<string | null, number>>

/** A project that version 0.1 created with the ledger, without an event. */
const unlogged = { id: 1, slug: 'default' }

/**
 * Compares the names of keys and projects, and whose keys are and what they may do, with the log. The seal does not cover
 * their tables, but each change of them is an event.
 */
export class Names {
  /** Oldest first. */
  readonly #keys = new Map<number, LoggedState>()
  readonly #projects = new Map<number, LoggedState>()
  readonly #keyNames: SeenNames<number> = new Map()
  readonly #slugs: SeenNames<number> = new Map()
  /** By the kind of an actor without a key. */
  readonly #kinds: SeenNames<string> = new Map()

  /** Takes the events in their order. */
  add(leaf: Leaf, changes: Changes): void {
    const { seq, type, keyId, projectId, actorKind, actor, project } = leaf
    if (keyId !== null && actor !== undefined) note(this.#keyNames, keyId, actor, seq)
    if (keyId === null && actorKind !== null && actor !== undefined) note(this.#kinds, actorKind, actor, seq)
    if (projectId !== null && project !== undefined) note(this.#slugs, projectId, project, seq)
    if (type.startsWith('key.')) tell(this.#keys, leaf, changes)
    if (type.startsWith('project.')) tell(this.#projects, leaf, changes)
  }

  /** `isWhole` says whether no event was dropped. */
  faults(shown: ShownNames, isWhole: boolean): Mismatch[] {
    return [
      ...this.#faultsInEvents(),
      ...this.#faultsOfKeys(shown, isWhole),
      ...this.#missingKeys(shown),
      ...this.#faultsOfProjects(shown, isWhole),
    ]
  }

  /** The keys and projects whose names the log does not tell, or no longer. */
  unknown({ keys, projects }: ListedNames) {
    const ids = new Set([...keys.map(({ id }) => id), ...this.#keyNames.keys()])
    const live = this.#live()
    const slugs = [...this.#slugs].flatMap(([id, names]) => (this.#projects.has(id) ? [] : [...names.keys()]))
    return {
      keys: [...ids].filter((id) => typeof this.#keys.get(id)?.state.name !== 'string'),
      projects: [...new Set([...projects.map(({ slug }) => slug), ...slugs])].filter((slug) => !live.has(slug ?? '')),
    }
  }

  /** The projects that were not deleted, by slug. */
  #live(): Map<string, LoggedState> {
    return new Map(
      [...this.#projects.values()].flatMap((logged) => (logged.isDeleted ? [] : [[logged.subject, logged]])),
    )
  }

  #faultsInEvents(): Mismatch[] {
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

  #faultsOfKeys({ keys }: ListedNames, isWhole: boolean): Mismatch[] {
    return keys.flatMap((key) => {
      const logged = this.#keys.get(key.id)
      if (!logged) return isWhole ? [{ words: `No event of the log created key ${key.id}.` }] : []
      const state: LoggedState['state'] = { ...logged.state, project: this.#slugOf(logged.projectId) }
      return [...fields.keys, 'project' as const].flatMap((field) =>
        differing(`key ${key.id}`, field, key[field], state[field]),
      )
    })
  }

  /**
   * The keys that are gone although an older one is there. A key is never deleted, but an import may have left out all
   * keys before it.
   */
  #missingKeys({ keyIds }: ShownNames): Mismatch[] {
    const ids = [...this.#keys.keys()]
    const oldest = ids.findIndex((id) => keyIds.has(id))
    const missing = oldest < 0 ? [] : ids.slice(oldest).filter((id) => !keyIds.has(id))
    return missing.map((id) => ({ words: `Key ${id} is missing, and the log has the event that created it.` }))
  }

  #faultsOfProjects({ projects }: ListedNames, isWhole: boolean): Mismatch[] {
    const live = this.#live()
    return projects.flatMap((project) => {
      const logged = live.get(project.slug)
      const isKnown = !isWhole || (project.slug === unlogged.slug && !this.#projects.has(unlogged.id))
      if (!logged) return isKnown ? [] : [{ words: `No event of the log created the project ${project.slug}.` }]
      return fields.projects.flatMap((field) =>
        differing(`project ${project.slug}`, field, project[field], logged.state[field]),
      )
    })
  }

  /** The slug that lists show for a project; undefined if the log does not tell it. */
  #slugOf(id: number | null): string | null | undefined {
    if (id === null) return null
    const logged = this.#projects.get(id)
    return logged?.isDeleted ? freed(logged.subject, id) : logged?.subject
  }
}

/** The slug of a deleted project, which makes the old one free. */
const freed = (slug: string, id: number) => `${slug}~${id}`

function note<Id>(names: SeenNames<Id>, id: Id, name: string | null, seq: number): void {
  const known = names.get(id) ?? new Map()
  names.set(id, known)
  if (!known.has(name)) known.set(name, seq)
}

function tell(all: Map<number, LoggedState>, { type, subject, subjectId, projectId }: Leaf, changes: Changes): void {
  const known = all.get(subjectId)
  const isNew = type.endsWith('.created')
  // What created it was dropped, so the log does not tell the rest.
  if (!known && !isNew) return
  // After an import without keys, a new key may get the id of an earlier one.
  if (isNew) all.delete(subjectId)
  const after = Object.entries(changes).map(([field, [, value]]) => [field, value])
  const state = { ...known?.state, ...Object.fromEntries(after) }
  all.set(subjectId, { projectId, subject, isDeleted: type.endsWith('.deleted'), state })
}

const misnamed = (what: string, names: Map<string | null, number>, right: (string | null)[]): Mismatch[] =>
  [...names].flatMap(([name, seq]) => {
    if (right.includes(name)) return []
    return {
      seq,
      until: seq,
      words: `Event ${seq} shows ${what} as ${quoted(name)}, and the log names it ${quoted(right[0])}.`,
    }
  })

function differing(what: string, field: string, shown: unknown, logged: unknown): Mismatch[] {
  const isUnlogged = shown === undefined || (logged === undefined && field === 'project') || hasErased(logged)
  if (isUnlogged || isDeepStrictEqual(plain(shown), plain(logged ?? null))) return []
  const verb = field === 'permissions' ? 'are' : 'is'
  return [{ words: `The ${field} of ${what} ${verb} ${quoted(shown)}, and ${quoted(logged ?? null)} in the log.` }]
}

const hasErased = (value: unknown): boolean =>
  isErased(value) || (typeof value === 'object' && value !== null && Object.values(value).some(hasErased))

const plain = (value: unknown) => (Array.isArray(value) ? value.toSorted() : value)

const quoted = (value: unknown) => JSON.stringify(value)

/** The keys and projects as a server lists them. */
export interface ListedNames {
  keys: Key[]
  projects: Project[]
}

/** What was listed before and after the log was read: the rows that did not change meanwhile. */
export interface ShownNames extends ListedNames {
  /** All keys that were there after it. */
  keyIds: ReadonlySet<number>
}

const limit = 100

/** Needs an admin key of the whole server. */
export const readShown = async (client: Client): Promise<ListedNames> => ({
  keys: await Array.fromAsync(client.all('listKeys', { limit })),
  projects: await Array.fromAsync(client.all('listProjects', { limit })),
})

/** The keys and projects that stood in both, with the same fields that the log tells. */
export function unchanged(before: ListedNames, after: ListedNames): ShownNames {
  const same = <Row>(old: Row[], rows: Row[], logged: (row: Row) => unknown) =>
    rows.filter((row) => old.some((one) => isDeepStrictEqual(logged(one), logged(row))))
  return {
    keys: same(before.keys, after.keys, ({ lastUsedAt: _, ...logged }) => logged),
    projects: same(before.projects, after.projects, ({ slug, version }) => [slug, version]),
    keyIds: new Set(after.keys.map(({ id }) => id)),
  }
}
