import { type Client, createClient } from '../../client/client.ts'
import { base } from './base.ts'
import { fetchServer as fetch } from './fetch.ts'

/** A client for all projects visible to the session. */
export const client = createClient({ url: base, fetch })

/** The same for calls before there is a page to show: rather than wait longer than 2 seconds, they fail. */
export const doorClient = createClient({ url: base, fetch, patience: 2 })

const clients = new Map<string, Client>()

/** A client for one project. Ids are unique only within a project. */
export function clientOf(project: string): Client {
  const known = clients.get(project) ?? createClient({ url: base, fetch, project })
  clients.set(project, known)
  return known
}
