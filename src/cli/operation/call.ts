import { type CallOptions, type Client, ConductError } from '../../client/client.ts'
import { connect, type Place, placeOf } from '../../place/connect.ts'
import { isMissing, whyMissing } from '../../place/missing.ts'
import { whileWaiting } from '../../terminal/interactive.ts'
import type { Common } from '../../terminal/option.ts'
import { nameOf, type Plan } from './plan.ts'

type Input = Record<string, unknown>
export type Call = (input: Input) => Promise<Record<string, unknown>>

/**
 * A person is waiting: give up on an unreachable server after a second or two, and at once on one that asks us to wait
 * longer.
 */
export const tries = { attempts: 4, patience: 5 }

/**
 * The place of an operation: without a project if the operation has none, filters by project, or covers all of them. Of
 * what the server has, `--project` narrows a list.
 */
export function placeFor(
  { hasProject, actsInProject, isPaged }: Plan,
  input: Input,
  { profile, project, allProjects }: Common & { allProjects?: boolean },
): Place {
  const place = placeOf({ profile, project: hasProject ? undefined : project }, process.env, process.cwd())
  if (!actsInProject) return { ...place, project: isPaged ? project : undefined }
  return allProjects || Array.isArray(input.project) ? { ...place, project: undefined } : place
}

/**
 * Does the work with a client of that place and always closes the place. If the project is missing, throws a NOT_FOUND
 * that says how to create it.
 */
export async function withClient(place: Place, work: (client: Client) => Promise<void>) {
  const { client, close } = await connect(place, process.env, tries)
  try {
    await work(client).catch(async (error) => {
      throw (await missingProject(client, place, error)) ?? error
    })
  } finally {
    await close()
  }
}

async function missingProject(client: Client, { project: slug }: Place, cause: unknown) {
  if (slug === undefined || !isMissing(cause)) return undefined
  const why = await whyMissing(client, slug, cause)
  return why === undefined ? undefined : new ConductError('NOT_FOUND', why, { cause, requestId: cause.requestId })
}

/**
 * The operation as a function. Its errors name flags and arguments instead of fields, unless they are printed as JSON.
 */
export function callsOf(
  plan: Plan,
  client: Client,
  waiting: string,
  { json, idempotencyKey }: Common & CallOptions,
): Call {
  const call = client[plan.name] as (input: Input, options: CallOptions) => Promise<Input>
  return async (input) => {
    try {
      return await whileWaiting(waiting, call(input, { idempotencyKey }))
    } catch (error) {
      throw json ? error : named(plan, error)
    }
  }
}

function named(plan: Plan, error: unknown): unknown {
  if (!(error instanceof ConductError) || !error.issues) return error
  const lines = error.issues.map(({ path, message }) => (path ? `${nameOf(plan, path)} ${message}` : message))
  return new ConductError(error.code, lines.join('\n'), { cause: error, issues: error.issues })
}
