import type { Client } from '../client/client.ts'
import { ConductError, unlessMissing } from '../contract/error.ts'

/** What to do without a valid key. */
export const keyAdvice = 'Set CONDUCT_API_KEY to a valid key, or add one with conduct profile add.'

/** What to do about a project that the server does not have, or hides from this key. */
export const noProject = (slug: string) =>
  `There is no project '${slug}', or this key cannot see it. To create it: conduct project create --slug ${slug}`

/**
 * Why a request in a project was NOT_FOUND, and what to do, if the reason is the address of the server or the project.
 * Throws if the server cannot say whether it has the project.
 */
export async function whyMissing(client: Client, slug: string, cause: ConductError): Promise<string | undefined> {
  // Only the words tell a path outside the API from a missing resource.
  if (cause.message.startsWith('There is nothing at ')) {
    return `${cause.message} Is the address of the server right, and does it include the base path?`
  }
  return (await lacksProject(client, slug)) ? noProject(slug) : undefined
}

/** Whether the server has no project of that slug, or hides it from this key. */
export async function lacksProject(client: Client, slug: string): Promise<boolean> {
  return (await client.getProject({ slug }).catch(unlessMissing)) === undefined
}

/** Creates the project if it does not exist. */
export async function ensureProject(client: Client, slug: string): Promise<void> {
  if (!(await lacksProject(client, slug))) return
  await client.createProject({ slug }).catch((error: unknown) => {
    // Another process may have created it first.
    if (!(error instanceof ConductError) || error.code !== 'CONFLICT') throw error
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
