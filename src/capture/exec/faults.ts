import type { Command } from 'commander'
import type { z } from 'zod'
import { explain } from '../../contract/explain.ts'
import { UsageError } from '../../terminal/exit.ts'
import { kebab } from '../../terminal/option.ts'

/** Throws a UsageError that names each flag or argument with a value that the ledger would reject. */
export function refuseFaults(command: Command, schema: z.ZodType, input: Record<string, unknown>) {
  const { error } = schema.safeParse(input, { reportInput: true })
  const issues = error?.issues.flatMap((issue) => explain(issue, new Set(Object.keys(input)))) ?? []
  if (issues.length === 0) return
  throw new UsageError(issues.map(({ path, message }) => `${nameOf(command, path)} ${message}`).join('\n'))
}

/** The name on the command line of the field at that path: `--label` for `labels.team`. */
function nameOf({ options, registeredArguments }: Command, path: string): string {
  const [field = ''] = path.split('.')
  const option = options.find((one) => [field, field.replace(/s$/, '')].includes(one.attributeName()))
  const argument = registeredArguments.find((one) => one.name() === kebab(field))
  return option?.long ?? (argument ? `<${argument.name()}>` : field)
}
