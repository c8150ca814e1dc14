import sql, { join, raw, type Sql } from 'sql-template-tag'
import { ConductError, invalid } from '../../contract/error.ts'
import { columnsOfKind } from '../../contract/stored.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { documentText } from '../../frame/document.ts'
import { listOf } from '../../frame/pieces.ts'
import { confinementOf } from '../../frame/scope.ts'
import { everyText, type IsToGo, textsWith } from '../../log/event.ts'
import { featureFields } from '../../nouns/feature/fields.ts'
import { checkFields } from '../../nouns/run/check/fields.ts'
import { rowFields } from '../../nouns/run/fields.ts'
import { isPersonHash, personHash } from '../../nouns/run/person.ts'
import { specFields } from '../../nouns/spec/fields.ts'
import { bytesOf, type Owned } from '../slice.ts'
import { attentionTexts } from './attention.ts'
import { type ErasedKey, eventsNaming, findErasedKey, runsOfKey, sentencesNaming } from './key.ts'
import {
  type CheckOfRun,
  checksOf,
  type ErasableEvents,
  eventsOf,
  eventsWith,
  holds,
  inProject,
  mayHold,
} from './log.ts'
import { everyPerson, type IsPersonToGo } from './persons.ts'

export type Noun = 'run' | 'turn' | 'spec' | 'check' | 'feature'

/** What to erase. */
export interface EraseScope {
  isToGo: IsToGo
  isPersonToGo: IsPersonToGo
  /** Conditions on the rows of each noun that may contain texts to erase. A missing noun has none. */
  rows: Partial<Record<Noun, Sql>>
  /**
   * Rows whose texts their owners repeat or contain. The content of such a run is erased whole, since it has the texts of
   * turns in another form.
   */
  repeated?: { [N in Noun]?: Owned }
  /**
   * Which events may have texts to erase, known once the rows are erased: a run gets checks meanwhile.
   */
  events(): Promise<ErasableEvents>
  /** Its only project; null for the whole ledger. */
  projectId: number | null
  /** What the log records about it. */
  recorded: Record<string, string | number>
  /** The key whose texts are erased. Of runs, only what its person is compared by is erased, and what names it. */
  key?: ErasedKey
}

interface EraseTarget {
  runId?: string | undefined
  specId?: string | undefined
  keyId?: number | undefined
  everything?: true | undefined
  text?: string | undefined
}

/**
 * Throws VALIDATION_ERROR unless exactly one thing is named; NOT_FOUND for a run, spec or key that has never existed.
 */
export async function scopeOf(ctx: Ctx, { runId, specId, keyId, everything, text }: EraseTarget): Promise<EraseScope> {
  const named = [runId, specId, keyId, everything, text].filter((one) => one !== undefined).length
  if (named !== 1) throw invalid('runId', 'give one of runId, specId, keyId, everything and text')
  if (text !== undefined) return textScope(ctx, text)
  if (runId !== undefined) return runScope(ctx, runId)
  if (specId !== undefined) return specScope(ctx, specId)
  if (keyId !== undefined) return keyScope(ctx, keyId)
  return projectScope(ctx)
}

/** A condition on events `e`. */
const isAbout = (noun: 'run' | 'attention' | 'spec', id: string) =>
  sql`e.subject = ${id} and e.type like ${`${noun}.%`}`

/** Throws NOT_FOUND unless the ledger has a run or spec with that id, or its log says that it had one. */
async function requireKnown(ctx: Ctx, noun: 'run' | 'spec', id: string): Promise<void> {
  const { db, project } = ctx
  const [row] = await db.query(sql`
    select 1 as one from ${raw(`${noun}s`)} where project_id = ${project.id} and ${raw(`${noun}_id`)} = ${id}`)
  if (row) return
  const [event] = await db.query(eventsOf(ctx, [isAbout(noun, id)]).next(0, Number.MAX_SAFE_INTEGER, 1))
  if (event) return
  throw new ConductError('NOT_FOUND', `There has never been a ${noun} '${id}' in project '${project.slug}'.`)
}

async function runScope(ctx: Ctx, runId: string): Promise<EraseScope> {
  await requireKnown(ctx, 'run', runId)
  const { id } = ctx.project
  const rows = sql`(select r.id from runs r where r.project_id = ${id} and r.run_id = ${runId})`
  const events = async () => eventsOf(ctx, [...abouts, turns, ...areAbout(ctx, await checksOf(ctx, runId))])
  let found: Promise<ErasableEvents> | undefined
  const abouts = [isAbout('run', runId), isAbout('attention', runId)]
  const turns = sql`e.subject >= ${`${runId}/`} and e.subject < ${`${runId}0`} and e.type like 'turn.%'`
  return {
    isToGo: everyText,
    isPersonToGo: everyPerson,
    rows: {
      run: sql`runs.id in ${rows}`,
      turn: sql`turns.run_id in ${rows}`,
      check: sql`checks.run_id in ${rows}`,
    },
    events: () => {
      found ??= events()
      return found
    },
    projectId: id,
    recorded: { what: 'run', runId },
  }
}

/** Conditions on events `e` of these checks. A check can have the subject of a deleted one. */
function areAbout({ db: { dialect } }: Ctx, checks: CheckOfRun[]): Sql[] {
  if (checks.length === 0) return []
  const subjects = [...new Set(checks.map(({ subject }) => subject))]
  const isOne = dialect.isOneOf('e.subject', subjects)
  const ids = checks.map(({ id }) => id)
  return [sql`${isOne} and ${dialect.isOneOf('e.subject_id', ids)} and e.type like 'check.%'`]
}

async function specScope(ctx: Ctx, specId: string): Promise<EraseScope> {
  await requireKnown(ctx, 'spec', specId)
  const { id } = ctx.project
  return {
    isToGo: everyText,
    isPersonToGo: everyPerson,
    rows: { spec: sql`specs.project_id = ${id} and specs.spec_id = ${specId}` },
    events: async () => eventsOf(ctx, [isAbout('spec', specId)]),
    projectId: id,
    recorded: { what: 'spec', specId },
  }
}

async function keyScope(ctx: Ctx, keyId: number): Promise<EraseScope> {
  const key = await findErasedKey(ctx, keyId)
  const run = runsOfKey(key)
  return {
    isToGo: sentencesNaming(key),
    isPersonToGo: (_, actor) => actor === key.actor,
    rows: run ? { run } : {},
    events: async () => eventsNaming(key),
    projectId: key.projectId,
    recorded: { what: 'key', keyId },
    key,
  }
}

function projectScope({ project: { id } }: Ctx): EraseScope {
  const kinds = ['run', 'attention', 'turn', 'spec', 'check', 'feature'].map((noun) => sql`e.type like ${`${noun}.%`}`)
  return {
    isToGo: everyText,
    isPersonToGo: everyPerson,
    rows: {
      run: inProject('runs', id),
      turn: inProject('turns', id),
      spec: inProject('specs', id),
      check: inProject('checks', id),
      feature: inProject('features', id),
    },
    events: async () => eventsWith(sql`${inProject('e', id)} and (${join(kinds, ' or ')})`),
    projectId: id,
    recorded: { what: 'project' },
  }
}

/** The hashes of persons to erase with a text: of the mail address that it is, and of those in persons of keys. */
async function personsWith({ db }: Ctx, text: string, projectId: number | null): Promise<string[]> {
  const keys =
    projectId === null
      ? await db.query<{ person: string }>(sql`
          select distinct person from keys where person is not null and ${holds(sql`person`, text)}`)
      : []
  return [text, ...keys.map(({ person }) => person)].map(personHash).filter(isPersonHash)
}

/** A condition on runs: whether persons with these hashes created, wrote or checked them. */
function hasPerson(hashes: string[]): Sql {
  const isOne = (column: string) => sql`${raw(column)} in (${listOf(hashes)})`
  return sql`(${isOne('runs.author_person')} or ${isOne('runs.creator_person')}
    or exists (select 1 from run_writers w where w.run_id = runs.id and ${isOne('w.person')})
    or exists (select 1 from checks c where c.run_id = runs.id and ${isOne('c.result_person')}))`
}

/** Covers every project that the key may see. */
async function textScope(ctx: Ctx, text: string): Promise<EraseScope> {
  const projectId = confinementOf(ctx)
  const persons = await personsWith(ctx, text, projectId)
  const inJson = (part: string) => JSON.stringify(part).slice(1, -1)
  const anyThat =
    (has: typeof holds) =>
    (table: string, plain: string[], json: string[], contents: string[], ...more: Sql[]) => {
      const conditions = [
        ...plain.map((column) => has(sql`${raw(table)}.${raw(column)}`, text)),
        ...json.map((column) => has(sql`${raw(table)}.${raw(column)}`, text, inJson)),
        ...contents.map((column) => holds(documentText(raw(`${table}.${column}`)), text)),
        ...more,
      ]
      return sql`(${join(conditions, ' or ')}) and ${inProject(table, projectId)}`
    }
  const any = anyThat(mayHold)
  const files = sql`exists (select 1 from run_files f where f.run_id = runs.id and ${holds(sql`f.path`, text)})`
  const models = sql`exists (select 1 from run_models m where m.run_id = runs.id and ${holds(sql`m.model`, text)})`
  const memos = sql`exists (select 1 from hook_sessions h where h.run_row = runs.id and ${holds(sql`h.memo`, text, inJson)})`
  const decisions = sql`exists (select 1 from attention a where a.run_id = runs.id
    and (${join(
      attentionTexts.map((column) => mayHold(sql`a.${raw(column)}`, text)),
      ' or ',
    )}))`
  const open = sql`exists (select 1 from open_turns o where o.run_id = runs.id and (${join(
    [mayHold(sql`o.title`, text), holds(sql`o.prompt`, text), holds(sql`o.facts`, text, inJson)],
    ' or ',
  )}))`
  const inTurns = (is: typeof any, table: string, ...more: Sql[]) =>
    is(table, ['title'], ['facts'], ['prompt_id', 'answer_id'], ...more)
  const inDiff = any('f', ['path'], ['facts', 'whole_facts'], ['document_id', 'whole_document_id'])
  const diffs = sql`exists (select 1 from turn_diffs f where f.turn_id = turns.id and ${inDiff})`
  // There, a prompt is quoted line by line, and a command is on one line and may be cut.
  const turns = {
    ...({ table: 'turns', owner: 'run_id', place: 'n' } as const),
    bytes: sql`octet_length(t.facts) + ${bytesOf('t.prompt_id, t.answer_id')}`,
    where: inTurns(anyThat(holds), 't'),
  }
  const isOwn = sql`exists (select 1 from specs where specs.id = t.spec_id and ${inProject('specs', projectId)})`
  const versions = {
    ...({ table: 'spec_versions', owner: 'spec_id', place: 'version' } as const),
    bytes: bytesOf('t.document_id'),
    where: sql`(${holds(sql`t.title`, text)} or ${holds(documentText(sql`t.document_id`), text)}) and ${isOwn}`,
  }
  const ofPersons = persons.length > 0 ? [hasPerson(persons)] : []
  const [ofRun, inRun] = [columnsOfKind(rowFields, 'text'), columnsOfKind(rowFields, 'json')]
  return {
    isToGo: textsWith(text),
    isPersonToGo: (hash) => persons.includes(hash),
    rows: {
      run: any('runs', ofRun, inRun, ['document_id'], files, models, memos, open, decisions, ...ofPersons),
      turn: inTurns(any, 'turns', diffs),
      spec: any('specs', columnsOfKind(specFields, 'text'), [], ['document_id']),
      check: any('checks', columnsOfKind(checkFields, 'text'), columnsOfKind(checkFields, 'json'), ['document_id']),
      feature: any('features', columnsOfKind(featureFields, 'text'), [], []),
    },
    repeated: { run: turns, spec: versions },
    events: async () => eventsWith(any('e', [], ['changes'], [])),
    projectId,
    recorded: { what: 'text' },
  }
}
