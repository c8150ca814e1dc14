import { useRef, useState } from 'preact/hooks'
import type { CallOptions } from '../../../client/client.ts'
import { type Read, type ReadOptions, useRead } from './read.ts'

const pageSize = 100

/** Calls an operation that returns a page, whose items are in a field of that name. */
type LoadPage<T, Field extends string> = (
  page: { limit: number; cursor?: string },
  options: CallOptions,
) => Promise<Record<Field, T[]> & { meta: { nextCursor?: string } }>

export interface List<T> extends Omit<Read<unknown>, 'data'> {
  items: T[]
  isRead: boolean
  /** Whether the items are still those of the previous key. */
  isOther: boolean
  hasMore: boolean
  /** Fetches one more page. */
  more(): void
}

/** The first pages of a list, refreshed like `useRead`. `more` fetches one more page. */
export function useList<T, Field extends string>(
  key: string,
  field: Field,
  load: LoadPage<T, Field>,
  options?: ReadOptions,
): List<T> {
  const [asked, setAsked] = useState({ key, pages: 1 })
  const pages = asked.key === key ? asked.pages : 1
  const { data: read, ...state } = useRead(
    `${pages} ${key}`,
    async (signal) => ({ ...(await firstPages(pages, field, load, { signal })), key }),
    options,
  )
  // The pages that were read before stay when one more cannot be read.
  const last = useRef(read)
  if (read) last.current = read
  const data = read ?? (last.current?.key === key ? last.current : undefined)
  return {
    ...state,
    items: data?.items ?? [],
    isRead: data !== undefined,
    isOther: data !== undefined && data.key !== key,
    hasMore: data?.nextCursor !== undefined,
    more: () => setAsked({ key, pages: pages + 1 }),
  }
}

async function firstPages<T, Field extends string>(
  count: number,
  field: Field,
  load: LoadPage<T, Field>,
  options: CallOptions,
) {
  const items: T[] = []
  let cursor: string | undefined
  for (let n = 0; n < count && (n === 0 || cursor !== undefined); n++) {
    const page = await load({ limit: pageSize, cursor }, options)
    items.push(...page[field])
    cursor = page.meta.nextCursor
  }
  return { items, nextCursor: cursor }
}
