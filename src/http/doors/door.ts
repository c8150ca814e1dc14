import type { HonoRequest } from 'hono'
import type { Name } from '../../api/paths.ts'
import type { Answer, Exchange } from '../exchange.ts'

/** A way into the server that is not JSON in, JSON out, and so has no place in the loop over the table of operations. */
export interface Door {
  /** What metrics and log call it. */
  label: string
  /** Its addresses, from the root of the server. */
  paths: readonly string[]
  methods: readonly ('GET' | 'POST' | 'DELETE')[]
  /** The operation of the table that it carries out in place of the loop. */
  carries?: Name
  /** Whether it takes this request, rather than leave it to the next door and the loop; without it, it takes all. */
  takes?(request: HonoRequest): boolean
  answer(exchange: Exchange): Promise<Answer>
}
