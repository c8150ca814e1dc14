import type { Dialect } from '../db.ts'

/** The progress of an import. The row exists while a ledger is incomplete. */
export const imports = ({ text, integer, tableEnd }: Dialect): string[] => [
  `create table imports (id ${integer} primary key, ledger ${text} not null, line ${integer} not null,
    crc32 ${text} not null) ${tableEnd}`,
]
