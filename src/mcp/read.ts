import { type McpServer, ResourceNotFoundError, ResourceTemplate, type Variables } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Client } from '../client/client.ts'
import { ConductError, unlessMissing } from '../contract/error.ts'
import { text } from '../contract/field.ts'
import { humanIdPattern } from '../contract/id.ts'
import type { Feature } from '../nouns/feature/fields.ts'
import { line } from '../text/clean.ts'
import { near } from './search.ts'
import { checkText, featureLine, runLine, runText, shown, specText, turnText, uriOf } from './show.ts'
import { reads, type ToolContext, type ToolResult, tool } from './tool.ts'

/** The most bytes of content that read_ledger returns. */
const contentBytes = 8000

/** What has the id. Its fields are those of the API. */
const found = z.looseObject({}).optional()

export const readLedger = tool({
  name: 'read_ledger',
  description: 'Read one run, turn, spec, check or feature in full.',
  annotations: reads,
  input: z.strictObject({
    id: text(200, 1).describe('RUN-001, RUN-001/2 for a turn, AUTH-001, CHECK-001, or a feature by name or number'),
  }),
  output: z.object({ run: found, turn: found, spec: found, check: found, feature: found }),
  async run(call, { id }) {
    // Several things can have the same id.
    const readers = humanIdPattern.test(id) ? [readRun, readSpec, readCheck, readFeature] : [readTurn, readFeature]
    const answers = await Promise.all(readers.map((read) => read(call, id).catch(unlessMissing)))
    const found = answers.filter((answer) => answer !== undefined)
    if (found.length === 0) throw new ConductError('NOT_FOUND', `Nothing has the id '${id}'.${await near(call, id)}`)
    return {
      text: found.map(({ text }) => text).join('\n\n---\n\n'),
      data: Object.assign({}, ...found.map(({ data }) => data)),
    }
  },
})

async function readRun({ client }: ToolContext, runId: string): Promise<ToolResult> {
  const whole = await wholeRun(client, runId, shown)
  const { content: _, turns, ...data } = whole.run
  const { count } = turns
  return {
    text: runText(whole.run, whole.checks, whole.turns, contentBytes),
    data: { run: { ...data, turns: { count } } },
  }
}

/** A run with up to that many of its checks and newest turns, oldest first. */
async function wholeRun(client: Client, runId: string, limit: number) {
  const { run: read } = await client.getRun({ runId })
  // Version 0.1 has no turns.
  const run: typeof read = { ...read, turns: read.turns ?? { count: 0 } }
  const { checks } = await client.listChecks({ runId, limit })
  const hasTurns = run.turns.count > 0 || run.turns.open !== undefined
  const turns = hasTurns ? (await client.listTurns({ runId, order: 'desc', limit })).turns : []
  return { run, checks, turns: turns.toReversed() }
}

/** A turn by the id in a run's list of turns. */
async function readTurn({ client }: ToolContext, id: string): Promise<ToolResult | undefined> {
  const [, runId, n] = /^([^/]+)\/([1-9]\d{0,6})$/.exec(id) ?? []
  if (runId === undefined || !humanIdPattern.test(runId)) return undefined
  const { turn } = await client.getTurn({ runId, n: Number(n) })
  return { text: turnText(turn), data: { turn } }
}

async function readSpec({ client }: ToolContext, specId: string): Promise<ToolResult> {
  const { spec } = await client.getSpec({ specId })
  const { content: _, ...data } = spec
  return { text: specText(spec, contentBytes), data: { spec: data } }
}

async function readCheck({ client }: ToolContext, checkId: string): Promise<ToolResult> {
  const { check } = await client.getCheck({ checkId })
  const { content: _, ...data } = check
  return { text: checkText(check, contentBytes), data: { check: data } }
}

async function readFeature({ client }: ToolContext, name: string): Promise<ToolResult | undefined> {
  const feature = /^[1-9]\d{0,9}$/.test(name)
    ? (await client.getFeature({ id: Number(name) })).feature
    : await featureNamed(client, name)
  if (!feature) return undefined
  const { runs } = await client.listFeatureRuns({ id: feature.id, limit: shown })
  return { text: [featureLine(feature), ...runs.map((run) => `- ${runLine(run)}`)].join('\n'), data: { feature } }
}

async function featureNamed(client: Client, name: string): Promise<Feature | undefined> {
  for await (const feature of client.all('listFeatures', { q: name, limit: 100 })) {
    if (feature.name === name) return feature
  }
}

const mimeType = 'text/markdown'
const newest = 20

/** Offers runs and specs as markdown resources, and lists the newest. */
export function addResources(server: McpServer, client: Client): void {
  const runs = new ResourceTemplate(uriOf('run', '{runId}'), {
    async list() {
      const { runs } = await client.listRuns({ limit: newest })
      return {
        resources: runs.map(({ runId, title, status, verdict }) => ({
          uri: uriOf('run', runId),
          name: runId,
          title: line(title ?? runId),
          description: `${status}, ${verdict}`,
        })),
      }
    },
  })
  server.registerResource('run', runs, { title: 'A run', mimeType }, (uri, { runId }) =>
    contents(uri, async () => {
      const { run, checks, turns } = await wholeRun(client, idOf(runId), 100)
      return runText(run, checks, turns, Number.POSITIVE_INFINITY)
    }),
  )

  const specs = new ResourceTemplate(uriOf('spec', '{specId}'), {
    async list() {
      const { specs } = await client.listSpecs({ limit: newest })
      return {
        resources: specs.map(({ specId, title, status }) => ({
          uri: uriOf('spec', specId),
          name: specId,
          title: line(title ?? specId),
          description: status,
        })),
      }
    },
  })
  server.registerResource('spec', specs, { title: 'A spec', mimeType }, (uri, { specId }) =>
    contents(uri, async () =>
      specText((await client.getSpec({ specId: idOf(specId) })).spec, Number.POSITIVE_INFINITY),
    ),
  )
}

const idOf = (value: Variables[string] | undefined) => decodeURIComponent(String(value))

async function contents({ href }: URL, read: () => Promise<string>) {
  try {
    return { contents: [{ uri: href, mimeType, text: await read() }] }
  } catch (error) {
    const isMissing =
      error instanceof URIError ||
      (error instanceof ConductError && (error.code === 'NOT_FOUND' || error.code === 'VALIDATION_ERROR'))
    throw isMissing ? new ResourceNotFoundError(href, error.message) : error
  }
}
