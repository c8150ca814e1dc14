import { type CallOptions, type Client, ConductError } from '../../client/client.ts'
import { tlsFault } from '../../client/request.ts'
import { isMissing } from '../../contract/error.ts'
import { connect, type Place, placeOf } from '../../place/connect.ts'
import { whyMissing } from '../../place/missing.ts'
import { whileWaiting } from '../../terminal/interactive.ts'
import type { Common } from '../../terminal/option.ts'
import { nameOf, type Plan } from './plan.ts'

type Input = Record<string, unknown>
export type SendCall = (input: Input) => Promise<Record<string, unknown>>

/**
 * A person is waiting: give up on an unreachable server after a second or two, and at once on one that asks us to wait
 * longer.
 */
export const tries = { attempts: 4, patience: 5 }

/**
 * The place of an operation: without a project if the operation has none, names projects itself, or covers all of them.
 * Of what the server has, `--project` narrows a list.
 */
export function placeFor(
  { hasProject, actsInProject, isPaged }: Plan,
  input: Input,
  { profile, project, allProjects }: Common & { allProjects?: boolean },
): Place {
  const place = placeOf({ profile, project: hasProject ? undefined : project }, process.env, process.cwd())
  if (!actsInProject) return { ...place, project: isPaged ? project : undefined }
  return allProjects || input.project !== undefined ? { ...place, project: undefined } : place
}

/**
 * Does the work with a client of that place and always closes the place. If the project is missing, throws a NOT_FOUND
 * that says how to create it.
 */
export async function withClient(place: Place, work: (client: Client) => Promise<void>) {
  await using connection = await connect(place, process.env, tries)
  const { client } = connection
  await work(client).catch(async (error) => {
    throw (await missingProject(client, place, error)) ?? error
  })
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
): SendCall {
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

/**
 * What a server reports about itself, and by how many seconds its clock is ahead of ours. If no Conduct answers at that
 * address, throws an Error that says what does.
 */
export async function reach(url: string): Promise<{ version: string; ahead: number }> {
  const response = await fetch(`${url}/openapi.json`, { signal: AbortSignal.timeout(10_000) }).catch((error: Error) => {
    const fault = tlsFault(error)
    if (fault !== undefined) throw new Error(fault, { cause: error })
    throw error.cause instanceof Error && error.cause.message ? error.cause : error
  })
  const { info } = ((await response.json().catch(() => ({}))) ?? {}) as { info?: { title?: string; version?: string } }
  if (!response.ok || info?.title !== 'Conduct')
    throw new Error(`it returned ${response.status}, and is not a Conduct server`)
  const ahead = Math.round((Date.parse(response.headers.get('date') ?? '') - Date.now()) / 1000)
  return { version: info.version ?? '', ahead: Number.isNaN(ahead) ? 0 : ahead }
}

/** Why no ledger is at that address, by an error of `reach`. */
export function noLedger(url: string, { message }: Error): string {
  return `${url}: ${message}${message.endsWith('?') ? '' : '; is the address right, and does it include the base path?'}`
}
