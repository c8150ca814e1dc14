import { z } from 'zod'

export const order = z.enum(['asc', 'desc'])
export type Order = z.infer<typeof order>

/** The most rows of a page. */
export const mostRows = 100

/** The input fields of every list. */
export const pageInput = {
  limit: z.int().min(1).max(mostRows).default(20).describe('Rows per page'),
  cursor: z.string().max(200).optional().describe('nextCursor of the previous page'),
  order: order.default('desc').describe('asc: oldest first; desc: newest first'),
}

export interface PageInput {
  limit: number
  cursor?: string | undefined
  order: Order
}

export const pageMeta = z.object({
  hasMore: z.boolean(),
  nextCursor: z.string().optional(),
})
