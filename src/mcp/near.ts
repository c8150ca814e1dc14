import type { SearchType } from '../find/fields.ts'
import type { Call } from './tool.ts'

/** How many of the newest runs and specs to compare, and how many ids to suggest. */
const looked = 100
const most = 3

/** Asks whether the caller meant a similar id; empty if there is none, or if looking for one fails. */
export const near = (call: Pick<Call, 'client'>, id: string, type?: SearchType): Promise<string> =>
  question(call, id, type).catch(() => '')

async function question({ client }: Pick<Call, 'client'>, id: string, type?: SearchType): Promise<string> {
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

/** The ids that are similar to `wanted`, nearest first. */
export function nearestOf(wanted: string, ids: string[]): string[] {
  const allowed = Math.min(2, Math.floor(wanted.length / 3))
  return [...new Set(ids)]
    .map((id) => ({ id, distance: distanceOf(plain(wanted), plain(id)) }))
    .filter(({ distance }) => distance <= allowed)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ id }) => id)
}

/** Makes `run-7` and `RUN-007` equal. */
const plain = (id: string) => id.toLowerCase().replace(/\b0+(?=\d)/g, '')

/** The Levenshtein distance. */
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
