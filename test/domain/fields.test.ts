import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { z } from 'zod'
import { columnOf, columnsOfKind, type Kind, type StoredFields, stored } from '../../src/contract/stored.ts'
import { tables } from '../../src/export/tables.ts'
import { isFact } from '../../src/log/event.ts'
import * as feature from '../../src/nouns/feature/fields.ts'
import * as attention from '../../src/nouns/run/attention/fields.ts'
import * as check from '../../src/nouns/run/check/fields.ts'
import * as run from '../../src/nouns/run/fields.ts'
import * as spec from '../../src/nouns/spec/fields.ts'

// A field of a noun has a column, a meaning, and a decision whether an erasure looks into it. For runs, the types of
// src/web/runs/run-facts.tsx ask for its place on the dashboard.

interface Noun {
  table: string
  /** Its texts that a search does not look into beside the title, or that are the title. */
  unsearched: string[]
  /** Its schema in openapi.json. */
  schema: string
  fields: StoredFields
  /** Those, and the columns that no response shows. */
  rowFields: StoredFields
}

const nouns: Noun[] = [
  {
    table: 'runs',
    schema: 'Run',
    unsearched: ['title', 'agentVersion', 'why', 'session', 'model'],
    fields: run.runFields,
    rowFields: run.rowFields,
  },
  {
    table: 'checks',
    schema: 'Check',
    unsearched: ['name', 'commit', 'agent'],
    fields: check.checkFields,
    rowFields: check.rowFields,
  },
  {
    table: 'specs',
    schema: 'Spec',
    unsearched: ['title', 'agent'],
    fields: spec.specFields,
    rowFields: spec.rowFields,
  },
  {
    table: 'features',
    schema: 'Feature',
    unsearched: ['name'],
    fields: feature.featureFields,
    rowFields: feature.rowFields,
  },
  {
    table: 'attention',
    schema: 'Attention',
    unsearched: ['check', 'branch', 'assignee', 'note'],
    fields: attention.attentionFields,
    rowFields: {
      ...attention.rowFields,
      project: stored('word', z.string(), 'The project of its run', { column: 'slug' }),
      runId: stored('word', z.string(), 'Its run', { column: 'run' }),
    },
  },
]

const schema = readFileSync(new URL('../../docs/schema.sql', import.meta.url), 'utf8')
const { schemas } = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')).components as {
  schemas: Record<string, { properties: Record<string, { description?: string }> }>
}

/** The columns of a table, with their types. */
function columnsIn(table: string): Map<string, string> {
  const [, statement = ''] = new RegExp(`^create table ${table} \\(\n(.*?)\n\\)`, 'ms').exec(schema) ?? []
  return new Map(
    [...statement.matchAll(/^ {2}(\w+) (text|integer|real)\b/gm)].map(([, name = '', type = '']) => [name, type]),
  )
}

/** Columns that statements compute from others. */
const computed: Record<string, string> = { slug: 'project_id', run: 'run_id', retry_of_run: 'retry_of' }

const typeOf = (kind: Kind) =>
  ['integer', 'actor', 'flag'].includes(kind) ? 'integer' : kind === 'real' ? 'real' : 'text'

const isText = (kind: Kind) => kind === 'text' || kind === 'json'

/** What the ledger does not do with these fields. */
function lackOf({ table, schema, unsearched, fields, rowFields }: Noun): string[] {
  const columns = columnsIn(table)
  const unexported = tables.find(({ name }) => name === table)?.live ?? []
  return Object.entries(rowFields).flatMap(([name, field]) => {
    const { kind, given, isFact: isTold, isSearched } = field
    const own = columnOf(name, field)
    const isStored = kind !== 'derived' && !(own in computed)
    const isWord = ['text', 'word', 'time'].includes(kind)
    return [
      isStored && columns.get(own) !== typeOf(kind) && `${name}: docs/schema.sql has no column ${own} ${typeOf(kind)}`,
      isWord &&
        (given || isTold) &&
        isFact(name) === isText(kind) &&
        `${name}: an erasure of events takes it for another`,
      isText(kind) && unexported.includes(own) && `${name}: an export leaves it out`,
      kind === 'text' &&
        !isSearched &&
        !unsearched.includes(name) &&
        `${name}: a search does not look into it, and no list here says so`,
      name in fields && !schemas[schema]?.properties[name]?.description && `${name}: openapi.json does not describe it`,
    ].filter((lack) => typeof lack === 'string')
  })
}

for (const noun of nouns) {
  test(`every field of ${noun.table} is stored, exported, erased and described`, () => {
    assert.deepEqual(lackOf(noun), [])
    const listed = Object.entries(noun.rowFields).map(([name, field]) => columnOf(name, field))
    const all = [...listed, ...listed.flatMap((column) => computed[column] ?? [])]
    assert.deepEqual(
      [...columnsIn(noun.table).keys()].filter((column) => !all.includes(column)),
      [],
      'every column is in the list',
    )
  })
}

test('a new field fails until the ledger has it', () => {
  const string = z.string().nullable()
  const more = {
    motto: stored('text', string, 'What it lives by', { given: string }),
    endedWell: stored('word', string, 'Whether it ended well', { isFact: true }),
  }
  const fields = { ...run.runFields, ...more }
  assert.deepEqual(lackOf({ ...(nouns[0] as Noun), fields, rowFields: { ...fields, ...run.innerFields } }), [
    'motto: docs/schema.sql has no column motto text',
    'motto: a search does not look into it, and no list here says so',
    'motto: openapi.json does not describe it',
    'endedWell: docs/schema.sql has no column ended_well text',
    'endedWell: an erasure of events takes it for another',
    'endedWell: openapi.json does not describe it',
  ])
  assert.ok(columnsOfKind(more, 'text').includes('motto'), 'an erasure looks into it')
})
