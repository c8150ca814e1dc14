import type { Dialect } from '../db.ts'

/**
 * How long projects keep their runs, and which runs have lost their contents to that; projects that were deleted, and
 * whether their rows are gone. The actor that applies retention.
 */
export const retention = ({ text }: Dialect): string[] => [
  `alter table projects add column retention ${text}`,
  `alter table projects add column deleted_at ${text}`,
  `alter table projects add column emptied_at ${text}`,
  `alter table runs add column expired_at ${text}`,
  "insert into actors (id, kind, name) values (-2, 'system', 'retention') on conflict do nothing",
]
