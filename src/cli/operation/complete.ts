import { type Client, ConductError } from '../../client/client.ts'
import type { RetentionInput } from '../../nouns/project/fields.ts'
import { UsageError } from '../../terminal/exit.ts'
import type { Plan } from './plan.ts'

type Input = Record<string, unknown>

/** The first words of commands that write what is recorded of the work. */
const recorded = new Set(['run', 'spec', 'check', 'feature', 'attention'])

/** Fields that say which thing is meant. A mask would make it another. */
const naming = new Set(['leaseToken', 'id', 'retryOf', 'ifVersion', 'idempotencyKey', 'commit', 'tree'])
const isNaming = (field: string) => naming.has(field) || /(?:Id|Tree)$/.test(field)

/** Masks the secrets in what such a command sends, as the recorder does. */
export async function withoutSecrets({ words, isWrite }: Plan, input: Input): Promise<Input> {
  if (!isWrite || !recorded.has(words[0] ?? '')) return input
  const { maskDeep } = await import('../../mask/mask.ts')
  const [plain = [], texts = []] = [true, false].map((wanted) =>
    Object.entries(input).filter(([field]) => isNaming(field) === wanted),
  )
  return { ...(await maskDeep(Object.fromEntries(texts))), ...Object.fromEntries(plain) }
}

/** Parses how people refer to a feature: a whole number is its number, anything else its name. */
export const featureOf = (text: string): number | string => (/^[1-9]\d{0,15}$/.test(text) ? Number(text) : text)

/** Replaces the names of features in these fields by their numbers. Throws NOT_FOUND if no feature has that name. */
export async function numberFeatures(fields: string[], client: Client, input: Input) {
  for (const field of fields) {
    const name = input[field]
    if (typeof name === 'string')
      input[field] = await numberOfFeature(client, name, input.project as string[] | undefined)
  }
}

async function numberOfFeature(client: Client, name: string, project: string[] | undefined): Promise<number> {
  const numbers = new Set<number>()
  for await (const feature of client.all('listFeatures', { q: name, limit: 100, project })) {
    if (feature.name === name) numbers.add(feature.id)
  }
  const [number, ...others] = numbers
  if (number === undefined) {
    throw new ConductError(
      'NOT_FOUND',
      `There is no feature '${name}'. To look for one: conduct feature list --q <part of its name>`,
    )
  }
  if (others.length > 0) {
    throw new UsageError(
      `'${name}' is feature ${[...numbers].join(' or ')}, depending on the project: give a number, or one --project.`,
    )
  }
  return number
}

interface RetentionChange {
  slug?: string
  retention?: RetentionInput | null
  ifVersion?: string
}

/**
 * Completes a retention of which flags give only some parts, because the API replaces the whole: a project that gets
 * other days continues to keep the same runs. The change fails if the project changes meanwhile.
 */
export async function wholeRetention(client: Client, input: RetentionChange) {
  const { slug, retention: given } = input
  if (slug === undefined || !given) return
  const { project } = await client.getProject({ slug })
  const { keep, ...days } = project.retention ?? {}
  input.retention = { ...days, ...given, keep: { ...keep, ...given.keep } }
  input.ifVersion ??= `"${slug}-${project.version}"`
}

/** Throws a UsageError for a dry run that gives only some parts of a retention. */
export function requireWholeRetention({ retention }: RetentionChange) {
  if (!retention) return
  const { contentDays, runDays, keep = {} } = retention
  if (![contentDays, runDays, keep.failed, keep.labels].includes(undefined)) return
  throw new UsageError(
    '--dry-run sends nothing, so it cannot look up the rest of the retention: give all of its flags, or leave out --dry-run.',
  )
}
