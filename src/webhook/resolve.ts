import { lookup } from 'node:dns/promises'

/** An address that a name resolves to. */
export interface Address {
  address: string
  family: number
}

/** Finds the addresses of a name. Rejects if there is none. */
export type Resolve = (host: string) => Promise<Address[]>

/** Asks the machine's resolver, as other programs do: /etc/hosts counts. */
export const resolveByMachine: Resolve = (host) => lookup(host, { all: true })
