import type { Recomputed } from './recompute.ts'

/** What `conduct verify` cannot find, for its answer: a reader should not have to know the documentation. */
export function notCovered(found: Recomputed | undefined, events: number, anchored: number): string[] {
  if (!found) return ['everything but that the log continues its checkpoints: use an admin key of the whole server']
  const { dropped, unknown } = found
  const names = [listed('key', unknown.keys), listed('project', unknown.projects)].filter((one) => one !== '')
  return [
    ...(anchored < events
      ? [
          `events ${anchored + 1} to ${events}: anyone who can write to the database can rewrite them, as no anchor has them`,
        ]
      : []),
    ...(dropped > 0
      ? [
          `events 1 to ${dropped}: only their leaves are left. Anyone who can write to the database can delete the oldest events and record it as the server does; --complete makes it a fault. The first change of a run after them may be marked as an append`,
        ]
      : []),
    ...(names.length > 0 ? [`the names of ${names.join(' and ')}: the log does not tell them`] : []),
    'the rows of runs, turns, specs, checks, features and webhooks, their texts, and the secrets of keys: only the log is sealed',
    'whether what an event says is true, who held a key, and whether Conduct itself or its retention acted',
  ]
}

/** How many numbers to list. */
const most = 10

function listed(noun: string, ids: readonly (number | string | null)[]): string {
  if (ids.length === 0) return ''
  const shown = ids.slice(0, most).join(', ')
  return `${noun}${ids.length === 1 ? '' : 's'} ${shown}${ids.length > most ? ', …' : ''}`
}
