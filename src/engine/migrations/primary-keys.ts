import type { Dialect } from '../db.ts'

/**
 * Every table of PostgreSQL has a primary key, by which a publication identifies the rows that change. On SQLite, a table
 * has its rowid, and a new primary key would rewrite all texts. Constraints that a ledger of version 0.1 had under other
 * names get those that a new ledger gives them.
 */
export const primaryKeys = ({ commitsInOrder }: Dialect): string[] =>
  commitsInOrder
    ? []
    : [
        'alter table document_parts add constraint document_parts_pkey primary key using index document_parts_in_order',
        `do $$
        declare old text;
        begin
          for old in select conname from pg_constraint
            where conrelid = 'run_writers'::regclass and conname like 'run\\_authors%' loop
            execute format('alter table run_writers rename constraint %I to %I', old,
              replace(replace(old, 'run_authors', 'run_writers'), 'key_id', 'actor_id'));
          end loop;
        end $$`,
      ]
