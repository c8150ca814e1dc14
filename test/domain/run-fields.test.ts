import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { z } from 'zod'
import { columnOf, columnsOfKind, type Fields, type Kind, stored } from '../../src/contract/stored.ts'
import { tables } from '../../src/export/tables.ts'
import { isFact } from '../../src/log/event.ts'
import { innerFields, rowFields, runFields } from '../../src/nouns/run/fields.ts'

// A field of a run has a column, a meaning, and a decision whether an erasure looks into it. The types of
// src/web/runs/run-facts.tsx ask for its place on the dashboard.

const schema = readFileSync(new URL('../../docs/schema.sql', import.meta.url), 'utf8')
const [, statement = ''] = /^create table runs \(\n(.*?)\n\)/ms.exec(schema) ?? []

/** The columns of the table, with their types. */
const columns = new Map(
  [...statement.matchAll(/^ {2}(\w+) (text|integer|real)\b/gm)].map(([, name = '', type = '']) => [name, type]),
)

const typeOf = (kind: Kind) => (['integer', 'real', 'actor'].includes(kind) ? kind.replace('actor', 'integer') : 'text')

const { properties } = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')).components
  .schemas.Run as { properties: Record<string, { description?: string }> }

const isText = (kind: Kind) => kind === 'text' || kind === 'json'

/** What the ledger does not do with these fields. */
function lackOf(fields: Fields, others: Fields): string[] {
  const unexported = tables.find(({ name }) => name === 'runs')?.live ?? []
  return Object.entries({ ...fields, ...others }).flatMap(([name, { kind, given, isFact: isTold, column }]) => {
    const own = name === 'retryOf' ? 'retry_of' : columnOf(name, { column })
    const type = name === 'retryOf' ? 'integer' : typeOf(kind)
    const isWord = ['text', 'word', 'time'].includes(kind)
    return [
      kind !== 'derived' && columns.get(own) !== type && `${name}: docs/schema.sql has no column ${own} ${type}`,
      isWord &&
        (given || isTold) &&
        isFact(name) === isText(kind) &&
        `${name}: an erasure of events takes it for another`,
      isText(kind) && unexported.includes(own) && `${name}: an export leaves it out`,
      name in fields && !properties[name]?.description && `${name}: openapi.json does not describe it`,
    ].filter((lack) => typeof lack === 'string')
  })
}

test('every field of a run is stored, exported, erased and described', () => {
  assert.deepEqual(lackOf(runFields, innerFields), [])
  const all: Fields = rowFields
  const listed = Object.entries(all).map(([name, field]) => columnOf(name, field).replace('_of_run', '_of'))
  assert.deepEqual(
    [...columns.keys()].filter((column) => !listed.includes(column)),
    [],
    'every column is in the list',
  )
})

test('a new field fails until the ledger has it', () => {
  const string = z.string().nullable()
  const more = {
    motto: stored('text', string, 'What it lives by', { given: string }),
    endedWell: stored('word', string, 'Whether it ended well', { isFact: true }),
  }
  assert.deepEqual(lackOf({ ...runFields, ...more }, innerFields), [
    'motto: docs/schema.sql has no column motto text',
    'motto: openapi.json does not describe it',
    'endedWell: docs/schema.sql has no column ended_well text',
    'endedWell: an erasure of events takes it for another',
    'endedWell: openapi.json does not describe it',
  ])
  assert.ok(columnsOfKind(more, 'text').includes('motto'), 'an erasure looks into it')
})
