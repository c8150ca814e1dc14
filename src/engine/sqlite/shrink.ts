import sql, { raw } from 'sql-template-tag'
import { only, type Tx } from '../db.ts'

/** How many pages a transaction gives back: a few milliseconds of work. */
const pagesAtOnce = 64
/** The share of the file that may stay free for new rows, so that it does not shrink and grow all the time. */
const keptShare = 0.2
/** The same in pages, for a small file. */
const keptPages = 256

interface Pages {
  pages: number
  free: number
  mode: number
}

export interface Shrinking {
  /** Reads outside a transaction. */
  query: Tx['query']
  tx: Tx['tx']
  /** Copies the log into the file, which only then becomes shorter. */
  copyLog(): void
}

/**
 * Makes the file of a database shorter when much of it is free, a little at a time: SQLite moves pages from the end of the
 * file into free ones. This needs `auto_vacuum = incremental`. Returns a function that does some of it, and returns whether
 * there may be more.
 */
export function createShrinker({ query, tx, copyLog }: Shrinking): () => Promise<boolean> {
  let isUnderWay = false
  return async () => {
    const { pages, free, mode } = only(
      await query<Pages>(sql`
        select page_count as pages, freelist_count as free, auto_vacuum as mode
        from pragma_page_count, pragma_freelist_count, pragma_auto_vacuum`),
    )
    const isMuchFree = mode === 2 && free > Math.max(pages * keptShare, keptPages)
    if (isMuchFree) await tx((tx) => tx.query(raw(`pragma incremental_vacuum(${pagesAtOnce})`)))
    else if (isUnderWay) copyLog()
    isUnderWay = isMuchFree
    return isMuchFree
  }
}
