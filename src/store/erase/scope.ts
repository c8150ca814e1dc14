import sql, { empty, raw, type Sql } from 'sql-template-tag'
import { ConductError, invalid } from '../../api/error.ts'
import { everyText, type IsToGo, textsWith } from '../../ledger/erase.ts'
import type { Ctx } from '../ctx.ts'
import { confinementOf } from '../scope.ts'

export type Noun = 'run' | 'turn' | 'spec' | 'check' | 'feature'

/** What to erase. */
export interface Scope {
  isToGo: IsToGo
  /** Conditions on the rows of each noun that may contain texts to erase. A missing noun has none. */
  rows: Partial<Record<Noun, Sql>>
  /** A condition on events `e`. */
  events: Sql
  /** Its only project; null for the whole ledger. */
  projectId: number | null
  /** What the log records about it. */
  told: Record<string, string>
}

interface Asked {
  runId?: string | undefined
  specId?: string | undefined
  everything?: true | undefined
  text?: string | undefined
}

/**
 * Throws VALIDATION_ERROR unless exactly one thing is named; NOT_FOUND for a run or spec that the log does not contain.
 */
export async function scopeOf(ctx: Ctx, { runId, specId, everything, text }: Asked): Promise<Scope> {
  const named = [runId, specId, everything, text].filter((one) => one !== undefined).length
  if (named !== 1) throw invalid('runId', 'give one of runId, specId, everything and text')
  if (text !== undefined) return textScope(ctx, text)
  const scope = runId ? runScope(ctx, runId) : specId ? specScope(ctx, specId) : projectScope(ctx)
  const [known] = await ctx.db.query(sql`select 1 as one from events e where ${scope.events} limit 1`)
  if (known || everything) return scope
  const what = runId ? `run '${runId}'` : `spec '${specId}'`
  throw new ConductError('NOT_FOUND', `There has never been a ${what} in project '${ctx.project.slug}'.`)
}

const ofProject = (table: string, id: number) => sql`${raw(table)}.project_id = ${id}`

function runScope({ project: { id } }: Ctx, runId: string): Scope {
  const rows = sql`(select r.id from runs r where r.project_id = ${id} and r.run_id = ${runId})`
  const checks = sql`e.subject_id in (select c.subject_id from events c where c.project_id = ${id}
    and c.type = 'check.created' and c.is_append = 0 and c.changes like ${`%"runId":[null,${JSON.stringify(runId)}]%`})`
  return {
    isToGo: everyText,
    rows: {
      run: sql`runs.id in ${rows}`,
      turn: sql`turns.run_id in ${rows}`,
      check: sql`checks.run_id in ${rows}`,
    },
    events: sql`e.project_id = ${id} and ((e.subject = ${runId} and e.type like 'run.%')
      or (e.subject >= ${`${runId}/`} and e.subject < ${`${runId}0`} and e.type like 'turn.%')
      or (e.type like 'check.%' and ${checks}))`,
    projectId: id,
    told: { what: 'run', runId },
  }
}

function specScope({ project: { id } }: Ctx, specId: string): Scope {
  return {
    isToGo: everyText,
    rows: { spec: sql`specs.project_id = ${id} and specs.spec_id = ${specId}` },
    events: sql`e.project_id = ${id} and e.subject = ${specId} and e.type like 'spec.%'`,
    projectId: id,
    told: { what: 'spec', specId },
  }
}

function projectScope({ project: { id } }: Ctx): Scope {
  const kinds = ['run', 'turn', 'spec', 'check', 'feature'].map((noun) => sql`e.type like ${`${noun}.%`}`)
  return {
    isToGo: everyText,
    rows: {
      run: ofProject('runs', id),
      turn: ofProject('turns', id),
      spec: ofProject('specs', id),
      check: ofProject('checks', id),
      feature: ofProject('features', id),
    },
    events: sql`e.project_id = ${id} and (${kinds.reduce((a, b) => sql`${a} or ${b}`)})`,
    projectId: id,
    told: { what: 'project' },
  }
}

/** Whether a column contains a text exactly, which `like` cannot decide on either engine. */
const holds = (column: Sql, text: string) => sql`replace(${column}, ${text}, '') <> ${column}`

const contentOf = (column: string) =>
  sql`(select string_agg(d.text, '' order by d.start) from document_parts d where d.document_id = ${raw(column)})`

/** Covers every project that the key may see. */
function textScope(ctx: Ctx, text: string): Scope {
  const projectId = confinementOf(ctx)
  const inJson = JSON.stringify(text).slice(1, -1)
  const any = (table: string, plain: string[], json: string[], contents: string[], ...more: Sql[]) => {
    const conditions = [
      ...plain.map((column) => holds(sql`${raw(table)}.${raw(column)}`, text)),
      ...json.map((column) => holds(sql`${raw(table)}.${raw(column)}`, inJson)),
      ...contents.map((column) => holds(contentOf(`${table}.${column}`), text)),
      ...more,
    ]
    const confined = projectId === null ? empty : sql`and ${ofProject(table, projectId)}`
    return sql`(${conditions.reduce((a, b) => sql`${a} or ${b}`)}) ${confined}`
  }
  const files = sql`exists (select 1 from run_files f where f.run_id = runs.id and ${holds(sql`f.path`, text)})`
  const memos = sql`exists (select 1 from hook_sessions h where h.run_row = runs.id and ${holds(sql`h.memo`, inJson)})`
  const versions = sql`exists (select 1 from spec_versions v where v.spec_id = specs.id
    and (${holds(sql`v.title`, text)} or ${holds(contentOf('v.document_id'), text)}))`
  const ofRun = ['title', 'agent', 'author', 'command', 'model', 'branch', 'session']
  const inRun = ['labels', 'location', 'git', 'links', 'failure', 'activity']
  return {
    isToGo: textsWith(text),
    rows: {
      run: any('runs', ofRun, inRun, ['document_id'], files, memos),
      turn: any('turns', ['title'], ['facts'], ['prompt_id', 'answer_id']),
      spec: any('specs', ['title', 'agent'], [], ['document_id'], versions),
      check: any('checks', ['name', 'command', 'agent', 'git_commit'], [], ['document_id']),
      feature: any('features', ['name', 'description', 'file'], [], []),
    },
    events: any('e', [], ['changes'], []),
    projectId,
    told: { what: 'text' },
  }
}
