import { z } from 'zod'
import type { Output } from '../client/client.ts'
import { invalid } from '../contract/error.ts'
import { isOfRun, type SearchType, searchType } from '../find/fields.ts'
import { checkResult } from '../nouns/run/check/fields.ts'
import { runStatus, verdict } from '../nouns/run/fields.ts'
import { specStatus } from '../nouns/spec/fields.ts'
import { routes } from '../operations/routes.ts'
import { checkLine, featureLine, foundLine, runLine, shown, specLine } from './show.ts'
import { reads, type ToolContext, type ToolResult, tool } from './tool.ts'

/** How many hits of a search to filter by status. */
const sifted = 200

const anyStatus = z.enum([...new Set([...runStatus.options, ...specStatus.options, ...checkResult.options])])

/** With query, the results; without it, the rows of a type. */
const rows = z.array(z.looseObject({})).optional()

export const searchLedger = tool({
  name: 'search_ledger',
  description: 'Find runs, specs, checks, features and diffs by words; without query, list the newest of a type.',
  annotations: reads,
  input: z.strictObject({
    query: routes.search.input.shape.q.optional().describe('Words that must all occur'),
    type: searchType.optional().describe('Default: all with query, run without'),
    status: anyStatus.optional().describe("Or a check's result"),
    verdict: verdict.optional().describe('Of runs; not with query'),
    file: routes.search.input.shape.file.describe('Runs that wrote it; a folder ends in /'),
    mine: z.boolean().optional().describe("Runs of your key's person"),
  }),
  output: z.object({ hasMore: z.boolean(), results: rows, runs: rows, specs: rows, checks: rows, features: rows }),
  async run(call, { query, type, status, mine, ...others }) {
    // Models that give every field give false, which filters nothing.
    const ofRuns = { ...others, mine: mine || undefined }
    if (query !== undefined && ofRuns.verdict !== undefined)
      throw invalid('verdict', 'cannot be combined with query: leave one out')
    const isFilterable = query === undefined ? (type ?? 'run') === 'run' : isOfRun(type ?? 'run')
    if (!isFilterable) {
      const [name] = Object.entries(ofRuns).find(([, value]) => value !== undefined) ?? []
      if (name !== undefined) throw invalid(name, `is of runs, not of a ${type}`)
    }
    if (query !== undefined) return find(call, query, type, status, ofRuns)
    return lists[type ?? 'run'](call, status, ofRuns)
  },
})

/** Filters of runs. */
interface OfRuns {
  verdict?: z.infer<typeof verdict> | undefined
  file?: string | undefined
  mine?: boolean | undefined
}

async function find(
  { client }: ToolContext,
  q: string,
  type: SearchType | undefined,
  status: string | undefined,
  { file, mine }: OfRuns,
) {
  const results: Output<'search'>['results'] = []
  // With a filter of runs, each run once: the many turns of one would hide the others.
  const group = type === undefined && (file ?? mine) !== undefined ? 'run' : undefined
  const runs = new Set<string>()
  let seen = 0
  let isMore = false
  for await (const hit of client.all('search', { q, limit: 50, type: type && [type], group, file, mine })) {
    isMore = results.length === shown || seen === sifted
    if (isMore) break
    seen++
    const run = `${hit.project}/${hit.subject}`
    if (group && runs.has(run)) continue
    runs.add(run)
    if (status === undefined || hit.status === status) results.push(hit)
  }
  return listed(results.map(foundLine), { results }, isMore)
}

/** The newest of each type. */
const lists: Record<SearchType, (call: ToolContext, status?: string, ofRuns?: OfRuns) => Promise<ToolResult>> = {
  async run({ client }, status, { verdict, ...filters } = {}) {
    const only = { status: own(runStatus.options, 'run', status), verdict: verdict && [verdict], ...filters }
    const { runs, meta } = await client.listRuns({ limit: shown, ...only })
    const brief = runs.map(({ runId, title, status, verdict, specId }) => ({ runId, title, status, verdict, specId }))
    return listed(runs.map(runLine), { runs: brief }, meta.hasMore)
  },
  async turn() {
    throw invalid('query', 'is required to find turns: give words, or read a run for its turns')
  },
  async diff() {
    throw invalid('query', 'is required to find diffs: give words, or read a run for its files')
  },
  async spec({ client }, status) {
    const only = { status: own(specStatus.options, 'spec', status) }
    const { specs, meta } = await client.listSpecs({ limit: shown, ...only })
    const brief = specs.map(({ specId, title, status, checklist }) => ({ specId, title, status, checklist }))
    return listed(specs.map(specLine), { specs: brief }, meta.hasMore)
  },
  async check({ client }, status) {
    const only = { result: own(checkResult.options, 'check', status) }
    const { checks, meta } = await client.listChecks({ limit: shown, ...only })
    const brief = checks.map(({ checkId, runId, name, result }) => ({ checkId, runId, name, result }))
    return listed(checks.map(checkLine), { checks: brief }, meta.hasMore)
  },
  async feature({ client }, status) {
    if (status !== undefined) throw invalid('status', 'features have none: leave it out')
    const { features, meta } = await client.listFeatures({ limit: shown })
    const brief = features.map(({ id, name, file }) => ({ id, name, file }))
    return listed(features.map(featureLine), { features: brief }, meta.hasMore)
  },
}

/** A filter by that status, if given. Throws VALIDATION_ERROR if that type does not have the status. */
function own<Status extends string>(statuses: Status[], type: SearchType, status: string | undefined) {
  if (status === undefined) return undefined
  const its = statuses.filter((one) => one === status)
  if (its.length > 0) return its
  throw invalid('status', `of a ${type} is one of ${statuses.join(', ')}, not '${status}'`)
}

function listed(lines: string[], data: Record<string, unknown>, hasMore: boolean): ToolResult {
  const all = lines.length > 0 ? lines : ['Nothing found.']
  return {
    text: [...all, ...(hasMore ? ['… and more: narrow the search.'] : [])].join('\n'),
    data: { ...data, hasMore },
  }
}

/** How many of the newest runs and specs to compare, and how many ids to suggest. */
const looked = 100
const most = 3

/** Asks whether the caller meant a similar id; empty if there is none, or if looking for one fails. */
export const near = (call: Pick<ToolContext, 'client'>, id: string, type?: SearchType): Promise<string> =>
  question(call, id, type).catch(() => '')

async function question({ client }: Pick<ToolContext, 'client'>, id: string, type?: SearchType): Promise<string> {
  const [{ runs }, { specs }, ...found] = await Promise.all([
    client.listRuns({ limit: looked }),
    type ? { specs: [] } : client.listSpecs({ limit: looked }),
    ...[...new Set([id, withZeros(id)])].map((q) => client.search({ q, ...(type && { type: [type] }) })),
  ])
  const ids = [
    ...runs.map(({ runId }) => runId),
    ...specs.map(({ specId }) => specId),
    ...found.flatMap(({ results }) => results.map(({ subject }) => subject)),
  ]
  const nearest = nearestOf(id, ids)
  return nearest.length > 0 ? ` Did you mean ${nearest.join(' or ')}?` : ''
}

/** `run-7` with the digits of an id that Conduct gives: `RUN-007`. */
const withZeros = (id: string): string =>
  id.replace(/^([a-z]+)-0*(\d+)$/i, (_, noun, n) => `${noun.toUpperCase()}-${n.padStart(3, '0')}`)

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
