import type { Client } from '../../client/client.ts'
import { humanIdPattern } from '../../contract/id.ts'
import { mask } from '../../mask/mask.ts'
import { type JsonFields, listOf, textOf } from '../../recorder/agents/fields.ts'
import type { Documents } from './documents.ts'
import type { Reporter } from './report.ts'
import type { SqlTables } from './v0-sql.ts'

export const trackFile = 'conduct.track.json'

/** What an import of an earlier Conduct's ledger works with. */
export interface V0Context {
  client: Client
  documents: Documents
  dryRun: boolean
  report: Reporter
}

/** An entry of the tracker. */
export interface TrackerEntry {
  id: string
  location: string
  status: string
  agent?: { agent: string }
  /** Its text, masked, with what only the tracker or the statements say of it. */
  content: string
  fields: JsonFields
}

/** A noun of the tracker: the table of its statements, the names of its columns there, and what its text should repeat. */
interface Noun {
  name: 'spec' | 'run' | 'check'
  table: string
  columns: Record<string, string>
  repeated: Record<string, string>
}

const shared = { status: 'status', agent: 'agent', completed_at: 'completedAt' }

export const specs: Noun = {
  name: 'spec',
  table: 'spec',
  columns: { ...shared, loe: 'loe', source_type: 'source', source_ref: 'sourceRef', created_at: 'createdAt' },
  repeated: { loe: 'LOE', source: 'Source', sourceRef: 'Source ref', completedAt: 'Completed', version: 'Version' },
}

export const runs: Noun = {
  name: 'run',
  table: 'run',
  columns: { ...shared, spec_id: 'specId', started_at: 'startedAt', spec_version: 'specVersion' },
  repeated: { specVersion: 'Spec version' },
}

export const checks: Noun = {
  name: 'check',
  table: 'check_result',
  columns: { ...shared, run_id: 'runId', result: 'result', notes: 'notes' },
  repeated: { notes: 'Notes' },
}

/** The entries of a list of the tracker whose documents can be read. Lists the others as left out. */
export async function entriesOf(
  list: unknown,
  noun: Noun,
  tables: SqlTables,
  { documents, report }: V0Context,
): Promise<TrackerEntry[]> {
  const entries: TrackerEntry[] = []
  for (const [at, said] of listOf(list).entries()) {
    const [id, location] = [textOf(said.id ?? '', 100), textOf(said.location)]
    const name = `${noun.name}s[${at}]`
    if (id === undefined || !humanIdPattern.test(id)) {
      report.pass(trackFile, undefined, `${name} has no id that can be kept: ${JSON.stringify(said.id)}`)
    } else if (location === undefined) report.pass(trackFile, undefined, `${name} names no document`)
    else {
      const text = attempt(() => documents.document(location))
      if (typeof text !== 'string') {
        report.pass(location, undefined, text.message)
        continue
      }
      const fields = withStatements(said, id, noun, tables, report)
      const agent = textOf(fields.agent, 100)
      const content = await mask(`${text}${trackerText(fields, noun)}`)
      entries.push({
        id,
        location,
        status: statusOf(fields.status),
        ...(agent && { agent: { agent } }),
        content,
        fields,
      })
    }
  }
  return entries
}

/** The fields of an entry, with those that only its row in the statements has. */
function withStatements(said: JsonFields, id: string, noun: Noun, tables: SqlTables, report: Reporter): JsonFields {
  const row = tables.get(noun.table)?.find(({ values }) => values.id === id)
  if (!row) return said
  const fields = { ...said }
  for (const [column, value] of Object.entries(row.values)) {
    const name = noun.columns[column]
    const other = name === undefined ? undefined : textOf(said[name])
    if (name !== undefined && other === undefined) fields[name] = value
    else if (other !== undefined && other !== value) {
      const what = `${column} ${value} of ${noun.name} ${id}`
      report.contradict(row.file, undefined, `says ${what}, and the tracker ${other}: the tracker holds`)
    } else if (name === undefined && !['id', 'location'].includes(column)) {
      report.pass(row.file, undefined, `the ledger has no place for ${column} of ${noun.name} ${id}`)
    }
  }
  return fields
}

/** Facts that the ledger has no field for, as Markdown; empty if there are none. */
function trackerText(fields: JsonFields, { repeated }: Noun): string {
  const lines = Object.entries(repeated).flatMap(([name, words]) => {
    const value = typeof fields[name] === 'number' ? String(fields[name]) : textOf(fields[name])
    return value === undefined ? [] : [`- **${words}:** ${value}`]
  })
  return lines.length === 0 ? '' : `\n## Tracker\n\n${lines.join('\n')}\n`
}

/** What the work returns, or the error that it throws. */
export function attempt<T>(work: () => T): T | Error {
  try {
    return work()
  } catch (error) {
    return error as Error
  }
}

export const statusOf = (status: unknown) => String(status ?? '').replaceAll('-', '_')
