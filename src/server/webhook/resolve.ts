import { lookup } from 'node:dns/promises'

/** An address of a name. */
export interface Address {
  address: string
  family: number
}

/** Resolves a name. Rejects if it has no address. */
export type Resolve = (host: string) => Promise<Address[]>

/** Uses the machine's resolver like other programs, including /etc/hosts. */
export const resolveByMachine: Resolve = (host) => lookup(host, { all: true })
