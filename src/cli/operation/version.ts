import { type Client, ConductError } from '../../client/client.ts'
import type { Name } from '../../contract/paths.ts'
import type { Plan } from './plan.ts'

type Input = Record<string, unknown>
type Versioned = { id?: number; slug?: string; version: number }

/**
 * Replaces an `ifVersion` that is a plain number, as people see it, by the ETag. Throws PRECONDITION_FAILED if that
 * version is already outdated; the server catches later changes.
 */
export async function taggedVersion({ name, words, operands }: Plan, client: Client, input: Input) {
  const wanted = input.ifVersion
  if (typeof wanted !== 'string' || !/^\d+$/.test(wanted)) return
  const reader = name.replace(/^(update|delete)/, 'get') as Name
  const ids = Object.fromEntries(operands.slice(0, 1).map(({ field }) => [field, input[field]]))
  const answer = await (client[reader] as (input: Input) => Promise<Input>)(ids)
  const { id, slug, version } = Object.values(answer)[0] as Versioned
  const called = String(Object.values(ids)[0])
  if (String(version) !== wanted) {
    throw new ConductError(
      'PRECONDITION_FAILED',
      `${called} is at version ${version}, not ${wanted}: read it again (conduct ${words[0]} get ${called}) before you change it.`,
    )
  }
  input.ifVersion = `"${id ?? slug}-${version}"`
}
