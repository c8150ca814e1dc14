import type { SearchType } from '../api/search.ts'
import type { Call } from './tool.ts'

/** So many of the newest runs and specs are looked at, and so many ids suggested. */
const looked = 100
const most = 3

/** The question whether an id was meant that differs from this one by a slip or two; empty where there is none. */
export async function near({ client }: Pick<Call, 'client'>, id: string, type?: SearchType): Promise<string> {
  const [{ runs }, { specs }, { results }] = await Promise.all([
    client.listRuns({ limit: looked }),
    type ? { specs: [] } : client.listSpecs({ limit: looked }),
    client.search({ q: id, ...(type && { type: [type] }) }),
  ])
  const ids = [
    ...runs.map(({ runId }) => runId),
    ...specs.map(({ specId }) => specId),
    ...results.map(({ subject }) => subject),
  ]
  const nearest = nearestOf(id, ids)
  return nearest.length > 0 ? ` Did you mean ${nearest.join(' or ')}?` : ''
}

/** Those of the ids that differ from `wanted` by little, the nearest first. */
export function nearestOf(wanted: string, ids: string[]): string[] {
  const allowed = Math.min(2, Math.floor(wanted.length / 3))
  return [...new Set(ids)]
    .map((id) => ({ id, distance: distanceOf(plain(wanted), plain(id)) }))
    .filter(({ distance }) => distance <= allowed)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ id }) => id)
}

/** `run-7` and `RUN-007` alike. */
const plain = (id: string) => id.toLowerCase().replace(/\b0+(?=\d)/g, '')

/** The least number of letters to insert, delete or replace that makes one of the other (Levenshtein). */
function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (const [y, letter] of [...one].entries()) {
    const next = [y + 1]
    for (const [x, found] of [...other].entries()) {
      const replaced = (row[x] as number) + Number(letter !== found)
      next.push(Math.min(replaced, (row[x + 1] as number) + 1, (next[x] as number) + 1))
    }
    row = next
  }
  return row.at(-1) as number
}
