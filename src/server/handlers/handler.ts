import type { HonoRequest } from 'hono'
import type { Name } from '../../contract/paths.ts'
import type { Exchange } from '../exchange.ts'
import type { Answer } from '../reply.ts'

/** An address that is not a plain JSON operation and therefore not served by the loop over the table. */
export interface Handler {
  /** Its name in metrics and log. */
  label: string
  /** Path patterns of Hono, from the root of the server. */
  paths: readonly string[]
  methods: readonly ('GET' | 'POST' | 'DELETE' | 'OPTIONS')[]
  /** The operation of the table that it serves instead of the loop. */
  carries?: Name
  /** Whether it serves this request; if not, the next handler or the loop does. If absent, it serves all. */
  takes?(request: HonoRequest): boolean
  /** Whether it answers under any host name, also one that the server does not have. */
  isProbe?: true
  answer(exchange: Exchange): Promise<Answer>
}
