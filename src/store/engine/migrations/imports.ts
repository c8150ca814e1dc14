import type { Dialect } from '../db.ts'

/** How far an import has come. There is a row while a ledger is only half there. */
export const imports = ({ text, integer, tableEnd }: Dialect): string[] => [
  `create table imports (id ${integer} primary key, ledger ${text} not null, line ${integer} not null,
    crc32 ${text} not null) ${tableEnd}`,
]
