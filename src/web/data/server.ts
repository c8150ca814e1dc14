import { type Client, createClient } from '../../client/client.ts'

/** Where the page, and so the server, is: with the base path, and a slash at its end. */
export const base = new URL('.', location.href).href

/** The client that asks over all projects which the session sees. */
export const client = createClient({ url: base })

const clients = new Map<string, Client>()

/** The client that acts in a project: ids are unique only there. */
export function clientOf(project: string): Client {
  const known = clients.get(project) ?? createClient({ url: base, project })
  clients.set(project, known)
  return known
}
