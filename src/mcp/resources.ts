import { type McpServer, ResourceNotFoundError, ResourceTemplate, type Variables } from '@modelcontextprotocol/server'
import type { Client } from '../client/client.ts'
import { ConductError } from '../contract/error.ts'
import { wholeRun } from './read.ts'
import { runText, specText, uriOf } from './show.ts'

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
          title: title ?? runId,
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
          title: title ?? specId,
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
