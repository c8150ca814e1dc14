import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { openStore } from '../../src/operations/open.ts'
import { databaseFolder } from './folder.ts'

// An empty ledger takes an engine much longer to make than to copy. So the setup makes one of each, and the tests copy it.

const name = 'conduct_template'
const at = (server: string, database: string) => server.replace(/\/[^/]*$/, `/${database}`)

// The environment passes them on to the tests.

/** Makes the SQLite ledger to copy, and returns what removes it. */
export async function makeSqliteTemplate(): Promise<() => void> {
  const folder = mkdtempSync(join(databaseFolder, 'conduct-template-'))
  const file = join(folder, 'conduct.db')
  await (await openStore(`sqlite:${file}`, { firstKey: false })).close()
  process.env.CONDUCT_TEST_SQLITE = file
  return () => rmSync(folder, { recursive: true, force: true })
}

/** Makes the PostgreSQL ledger to copy, which ends with its server. */
export async function makePostgresTemplate(server: string): Promise<void> {
  await run(server, `create database ${name}`)
  await (await openStore(at(server, name), { firstKey: false })).close()
  await run(at(server, name), makeReset)
  process.env.CONDUCT_TEST_POSTGRES = server
}

/** Copies the SQLite ledger to `path`; without the setup there is none, and the first store makes its own. */
export function copySqlite(path: string): void {
  const file = process.env.CONDUCT_TEST_SQLITE
  if (file) copyFileSync(file, path)
}

interface Copy {
  url: string
  /** Gives the ledger to another test. Nobody may use it any more. */
  giveBack(): void
}

/** A copy that is used, and the connection that empties it, which has planned the statements for that. */
interface Used extends Copy {
  cleaner: Cleaner
}

/** The types of pg leave these two out. */
type Cleaner = pg.Client & { ref(): void; unref(): void }

const used: Used[] = []
let copies = 0

/** An empty PostgreSQL ledger of this process: one that was given back, or a new copy. */
export async function copyPostgres(server: string): Promise<Copy> {
  const kept = used.pop()
  if (kept) {
    await empty(kept.cleaner)
    return kept
  }
  const database = `copy_${process.pid}_${++copies}`
  await run(server, `create database ${database} template ${name} strategy file_copy`)
  const url = at(server, database)
  const cleaner = new pg.Client({ connectionString: url }) as Cleaner
  // The server may end before this process does.
  cleaner.on('error', () => {})
  await cleaner.connect()
  cleaner.unref()
  const copy: Used = { url, cleaner, giveBack: () => void used.push(copy) }
  return copy
}

/** Brings a copy back to how it was made. Between two tests its connection does not hold the process up. */
async function empty(cleaner: Cleaner): Promise<void> {
  cleaner.ref()
  await cleaner.query('select test.reset()')
  cleaner.unref()
}

/** Runs statements on a connection of their own. */
export async function run(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

/**
 * Defines `test.reset()`, which brings every table and sequence back to how they are now. A table that has grown or was
 * analyzed is made anew, so that the next test finds neither its dead rows nor its statistics.
 */
const makeReset = `
create schema test;
do $make$
declare
  body text := $body$
    set local session_replication_role = replica;
    select string_agg(oid::regclass::text, ', '), array_agg(oid) into tables, ids from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r'
        and (reltuples >= 0 or pg_relation_size(oid) > 8 * 8192);
    if tables is not null then
      execute 'truncate ' || tables || ' cascade';
      delete from pg_statistic where starelid = any(ids);
    end if;$body$;
  item record;
begin
  for item in select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' loop
    execute format('create table test.%1$I as table public.%1$I', item.relname);
    body := body || format('delete from public.%1$I; insert into public.%1$I overriding system value table test.%1$I;', item.relname);
  end loop;
  for item in select sequencename, last_value from pg_sequences where schemaname = 'public' loop
    body := body || format('perform setval(%L, %s, %L);', 'public.' || item.sequencename,
      coalesce(item.last_value, 1), item.last_value is not null);
  end loop;
  execute format('create function test.reset() returns void language plpgsql as %L',
    'declare tables text; ids oid[]; begin ' || body || ' end');
end $make$`
