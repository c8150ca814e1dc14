import { z } from 'zod'
import { checkResult } from '../check.ts'
import type { Output } from '../client/client.ts'
import { ConductError, invalid } from '../error.ts'
import { text } from '../field.ts'
import { humanIdPattern } from '../handed-out.ts'
import { routes } from '../routes.ts'
import { runStatus, verdict } from '../run.ts'
import { type SearchType, searchType } from '../search.ts'
import { specStatus } from '../spec.ts'
import { checkLine, checkText, featureLine, runLine, runText, specLine, specText } from './show.ts'
import { type Call, type Told, tool } from './tool.ts'

const reads = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false }
/** Lines of a list. */
const shown = 20
/** Hits of a search that are looked through for a status. */
const sifted = 200
/** Bytes of a content that read_ledger gives. */
const contentBytes = 8000

const anyStatus = z.enum([...new Set([...runStatus.options, ...specStatus.options, ...checkResult.options])])

export const searchLedger = tool({
  name: 'search_ledger',
  description: 'Find runs, specs, checks and features by words; without query, list the newest of a type.',
  annotations: reads,
  input: z.strictObject({
    query: routes.search.input.shape.q.optional().describe('Words that all occur'),
    type: searchType.optional().describe('Default: all with query, run without'),
    status: anyStatus.optional().describe("Or a check's result"),
    verdict: verdict.optional().describe('Of runs; not with query'),
  }),
  async run(call, { query, type, status, verdict }) {
    if (query !== undefined && verdict !== undefined) throw invalid('verdict', 'does not go with query: leave one out')
    if (query !== undefined) return find(call, query, type, status)
    if (verdict !== undefined && type !== undefined && type !== 'run')
      throw invalid('verdict', `is of runs, not of a ${type}`)
    return list(call, type ?? 'run', status, verdict)
  },
})

async function find({ client }: Call, q: string, type: SearchType | undefined, status: string | undefined) {
  const results: Output<'search'>['results'] = []
  let seen = 0
  let isMore = false
  for await (const hit of client.all('search', { q, limit: 50, ...(type && { type: [type] }) })) {
    isMore = results.length === shown || seen === sifted
    if (isMore) break
    seen++
    if (status === undefined || hit.status === status) results.push(hit)
  }
  const lines = results.map(({ type, subject, status, title, snippet }) =>
    [
      `${type} ${subject}${status ? ` ${status}` : ''}: ${title ?? 'untitled'}`,
      snippet && `  ${snippet.replace(/\s+/g, ' ')}`,
    ]
      .filter(Boolean)
      .join('\n'),
  )
  return listed(lines, { results }, isMore)
}

/** The newest of a type. The status is one of the type's own, or the API says which there are. */
async function list(
  { client }: Call,
  type: SearchType,
  status: string | undefined,
  verdict?: Output<'getRun'>['run']['verdict'],
) {
  const limit = shown
  if (type === 'run') {
    const only = { ...(status && { status: [own(runStatus, type, status)] }), ...(verdict && { verdict: [verdict] }) }
    const { runs, meta } = await client.listRuns({ limit, ...only })
    const brief = runs.map(({ runId, title, status, verdict, specId }) => ({ runId, title, status, verdict, specId }))
    return listed(runs.map(runLine), { runs: brief }, meta.hasMore)
  }
  if (type === 'spec') {
    const { specs, meta } = await client.listSpecs({
      limit,
      ...(status && { status: [own(specStatus, type, status)] }),
    })
    const brief = specs.map(({ specId, title, status, checklist }) => ({ specId, title, status, checklist }))
    return listed(specs.map(specLine), { specs: brief }, meta.hasMore)
  }
  if (type === 'check') {
    const { checks, meta } = await client.listChecks({
      limit,
      ...(status && { result: [own(checkResult, type, status)] }),
    })
    const brief = checks.map(({ checkId, runId, name, result }) => ({ checkId, runId, name, result }))
    return listed(checks.map(checkLine), { checks: brief }, meta.hasMore)
  }
  if (status !== undefined) throw invalid('status', 'features have none: leave it out')
  const { features, meta } = await client.listFeatures({ limit })
  const brief = features.map(({ id, name, file }) => ({ id, name, file }))
  return listed(features.map(featureLine), { features: brief }, meta.hasMore)
}

/** The status, where it is one that things of that type may have. */
function own<Value extends string>(schema: z.ZodEnum<Record<Value, Value>>, type: SearchType, status: string): Value {
  const parsed = schema.safeParse(status)
  if (parsed.success) return parsed.data as Value
  throw invalid('status', `of a ${type} is one of ${schema.options.join(', ')}, not '${status}'`)
}

function listed(lines: string[], data: Record<string, unknown>, hasMore: boolean): Told {
  const all = lines.length > 0 ? lines : ['Nothing found.']
  return { text: [...all, ...(hasMore ? ['… and more: narrow it down.'] : [])].join('\n'), data: { ...data, hasMore } }
}

export const readLedger = tool({
  name: 'read_ledger',
  description: 'Read one run, spec, check or feature in full.',
  annotations: reads,
  input: z.strictObject({ id: text(200, 1).describe('RUN-001, AUTH-001, CHECK-001, or a feature by name or number') }),
  async run(call, { id }) {
    // One id may be that of several things.
    const readers = humanIdPattern.test(id) ? [readRun, readSpec, readCheck, readFeature] : [readFeature]
    const answers = await Promise.all(readers.map((read) => read(call, id).catch(unlessMissing)))
    const found = answers.filter((answer) => answer !== undefined)
    if (found.length === 0) throw new ConductError('NOT_FOUND', `Nothing has the id '${id}'${await near(call, id)}.`)
    return {
      text: found.map(({ text }) => text).join('\n\n---\n\n'),
      data: Object.assign({}, ...found.map(({ data }) => data)),
    }
  },
})

async function readRun({ client }: Call, runId: string): Promise<Told> {
  const { run } = await client.getRun({ runId })
  const { checks } = await client.listChecks({ runId, limit: shown })
  const { content: _, ...data } = run
  return { text: runText(run, checks, contentBytes), data: { run: data } }
}

async function readSpec({ client }: Call, specId: string): Promise<Told> {
  const { spec } = await client.getSpec({ specId })
  const { content: _, ...data } = spec
  return { text: specText(spec, contentBytes), data: { spec: data } }
}

async function readCheck({ client }: Call, checkId: string): Promise<Told> {
  const { check } = await client.getCheck({ checkId })
  const { content: _, ...data } = check
  return { text: checkText(check, contentBytes), data: { check: data } }
}

async function readFeature({ client }: Call, name: string): Promise<Told | undefined> {
  const feature = /^[1-9]\d{0,9}$/.test(name)
    ? (await client.getFeature({ id: Number(name) })).feature
    : (await client.listFeatures({ q: name, limit: 100 })).features.find((one) => one.name === name)
  if (!feature) return undefined
  const { runs } = await client.listFeatureRuns({ id: feature.id, limit: shown })
  return { text: [featureLine(feature), ...runs.map((run) => `- ${runLine(run)}`)].join('\n'), data: { feature } }
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof ConductError && error.code === 'NOT_FOUND') return undefined
  throw error
}

/** Ids that may have been meant instead of one that does not exist. */
export async function near({ client }: Pick<Call, 'client'>, id: string, type?: SearchType): Promise<string> {
  const { results } = await client.search({ q: id, limit: 5, ...(type && { type: [type] }) })
  const newest = async () => (await client.listRuns({ limit: 5 })).runs.map(({ runId }) => runId)
  const ids = results.length > 0 ? results.map(({ subject }) => subject) : await newest()
  return ids.length > 0 ? `; there ${ids.length > 1 ? 'are' : 'is'} ${[...new Set(ids)].join(', ')}` : ''
}
