import type { Client } from '../../client/client.ts'
import type { RetentionInput } from '../../nouns/project/fields.ts'
import { UsageError } from '../../terminal/exit.ts'

interface Input {
  slug?: string
  retention?: RetentionInput | null
  ifVersion?: string
}

/**
 * Completes a retention of which flags give only some parts, because the API replaces the whole: a project that gets
 * other days continues to keep the same runs. The change fails if the project changes meanwhile.
 */
export async function wholeRetention(client: Client, input: Input) {
  const { slug, retention: given } = input
  if (slug === undefined || !given) return
  const { project } = await client.getProject({ slug })
  const { keep, ...days } = project.retention ?? {}
  input.retention = { ...days, ...given, keep: { ...keep, ...given.keep } }
  input.ifVersion ??= `"${slug}-${project.version}"`
}

/** Throws a UsageError for a dry run that gives only some parts of a retention. */
export function requireWholeRetention({ retention }: Input) {
  if (!retention) return
  const { contentDays, runDays, keep = {} } = retention
  if (![contentDays, runDays, keep.failed, keep.labels].includes(undefined)) return
  throw new UsageError(
    '--dry-run sends nothing, so it cannot look up the rest of the retention: give all of its flags, or leave out --dry-run.',
  )
}
