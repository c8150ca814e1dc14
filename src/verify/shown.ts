import { isDeepStrictEqual } from 'node:util'
import type { Client } from '../client/client.ts'
import type { Key } from '../nouns/key/fields.ts'
import type { Project } from '../nouns/project/fields.ts'

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
