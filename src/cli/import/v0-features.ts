import type { Client } from '../../client/client.ts'
import { isMissing } from '../../contract/error.ts'
import { mask } from '../../mask/mask.ts'
import type { V0Context } from './v0-entries.ts'
import type { SqlRow, SqlTables } from './v0-sql.ts'

/** A feature that a run of the earlier Conduct named, and how it changed it. */
export interface LinkedFeature {
  name: string
  how: string
}

/** The features that runs changed, by the id of the run in the tracker. */
export function linksIn(tables: SqlTables, { report }: V0Context): ReadonlyMap<string, LinkedFeature[]> {
  const links = new Map<string, LinkedFeature[]>()
  for (const { file, values } of tables.get('run_feature') ?? []) {
    const { run_id: run, feature_id: name, type, description } = values
    if (run === undefined || name === undefined) {
      report.pass(file, undefined, 'a row of run_feature names no run or no feature')
      continue
    }
    const how = [type, description].filter(Boolean).join(': ')
    links.set(run, [...(links.get(run) ?? []), { name, how }])
  }
  return links
}

/** Imports the features. Leaves those that already exist unchanged. */
export async function importFeatures(tables: SqlTables, context: V0Context): Promise<void> {
  const { client, dryRun, report } = context
  const rows = tables.get('feature') ?? []
  const packages = tables.get('package') ?? []
  const known = await namesIn(client)
  for (const { file, values } of rows) {
    const name = values.slug ?? values.name
    if (name === undefined) {
      report.pass(file, undefined, 'a row of feature has neither a slug nor a name')
      continue
    }
    if (known.has(name)) {
      report.count('features imported before')
      continue
    }
    known.add(name)
    report.count('features')
    if (rows[Number(values.parent_id) - 1]?.values === values) {
      report.contradict(file, undefined, `the feature ${name} is its own parent: it has none`)
      delete values.parent_id
    }
    const [path, ...others] = pathsIn(values.paths)
    const about = [
      ...(values.name === undefined || values.name === name ? [] : [values.name]),
      ...partOf('Part of', values.parent_id, rows),
      ...partOf('Package', values.package_id, packages),
      ...(others.length > 0 ? [`Also in ${others.join(', ')}`] : []),
      ...(values.status === undefined ? [] : [`Status: ${values.status}`]),
    ]
    const description = await mask(about.join('\n'))
    if (!dryRun) await client.createFeature({ name, description, ...(path !== undefined && { file: path }) })
  }
}

/** The names of the project's features. A project that does not exist yet has none. */
async function namesIn(client: Client): Promise<Set<string>> {
  const names = new Set<string>()
  try {
    for await (const { name } of client.all('listFeatures', { limit: 100 })) names.add(name)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  return names
}

/** The rows of a table got the ids 1, 2 and so on. */
function partOf(words: string, id: string | undefined, rows: readonly SqlRow[]): string[] {
  const { slug, name } = rows[Number(id) - 1]?.values ?? {}
  const whole = slug ?? name
  return whole === undefined ? [] : [`${words} ${whole}`]
}

function pathsIn(json: string | undefined): string[] {
  try {
    const paths: unknown = JSON.parse(json ?? '[]')
    return Array.isArray(paths) ? paths.filter((path) => typeof path === 'string') : []
  } catch {
    return []
  }
}
