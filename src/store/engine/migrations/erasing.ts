import type { Dialect } from '../db.ts'

/** Records when texts of a row were erased, and what was erased. */
export function erasing({ id, text, integer, tableEnd }: Dialect): string[] {
  const tables = ['runs', 'turns', 'specs', 'checks', 'features']
  return [
    ...tables.map((table) => `alter table ${table} add column erased_at ${text}`),
    `create table erasures (id ${id}, project_id ${integer}, created_by ${integer} not null,
      created_at ${text} not null) ${tableEnd}`,
  ]
}
