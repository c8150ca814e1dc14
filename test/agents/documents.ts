import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { JsonFields } from '../../src/recorder/agents/fields.ts'
import { readDocument } from '../../src/recorder/agents/read.ts'
import type { Seen, Step } from '../../src/recorder/agents/seen.ts'

/** Documents that the agents wrote to their hooks, by event. Paths are changed, and some long texts are removed. */
const folder = new URL('documents/', import.meta.url)

/** The agents with documents; one agent in the hooks of another has documents of its own. */
export const documented = globSync('*.json', { cwd: folder })
  .filter((file) => !file.includes('transcript'))
  .map((file) => file.slice(0, -'.json'.length))
  .sort()

/** A document as `agent` wrote it, with some fields changed. */
export function documentOf(agent: string, name: string, changes: JsonFields = {}): JsonFields {
  const all = JSON.parse(readFileSync(new URL(`${agent}.json`, folder), 'utf8')) as Record<string, JsonFields>
  const document = all[name]
  if (!document) throw new Error(`${agent}.json has no '${name}': it has ${Object.keys(all).join(', ')}`)
  return { ...document, ...changes }
}

/** The names of all documents of an agent. */
export const namesOf = (agent: string): string[] =>
  Object.keys(JSON.parse(readFileSync(new URL(`${agent}.json`, folder), 'utf8')))

/** The path of the transcript that belongs to an agent's documents. */
export const transcriptOf = (agent: string): string => fileURLToPath(new URL(`${agent}-transcript.jsonl`, folder))

/** The only report of a document. */
export function seenIn(named: string, document: JsonFields, env = {}): Seen {
  const [seen, ...more] = readDocument(named, document, env)
  if (!seen || more.length > 0)
    throw new Error(`${more.length + (seen ? 1 : 0)} reports of ${JSON.stringify(document)}`)
  return seen
}

export const stepIn = (named: string, document: JsonFields): Step => seenIn(named, document).step
