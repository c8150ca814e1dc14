import type { Client } from '../client/client.ts'
import { ConductError } from '../contract/error.ts'

/** Creates the project if it does not exist. */
export async function ensureProject(client: Client, slug: string): Promise<void> {
  const isCode = (code: string) => (error: unknown) => {
    if (!(error instanceof ConductError) || error.code !== code) throw error
  }
  await client.getProject({ slug }).catch(async (error) => {
    isCode('NOT_FOUND')(error)
    // Another process may have created it first.
    await client.createProject({ slug }).catch(isCode('CONFLICT'))
  })
}

/** A client that first does that work whenever it records something new in a project. */
export function beforeRecords(client: Client, work: () => Promise<void>): Client {
  const after =
    <Given extends unknown[], Answer>(call: (...given: Given) => Promise<Answer>) =>
    async (...given: Given): Promise<Answer> => {
      await work()
      return call(...given)
    }
  return {
    ...client,
    createRun: after(client.createRun),
    createSpec: after(client.createSpec),
    createCheck: after(client.createCheck),
    createFeature: after(client.createFeature),
  }
}
