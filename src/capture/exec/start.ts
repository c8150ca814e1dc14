import type { Command } from 'commander'
import type { z } from 'zod'
import { explain, explained } from '../../contract/explain.ts'
import { type Place, type PlaceOptions, placeOf, shownPlace } from '../../place/connect.ts'
import { SettingError, UsageError } from '../../terminal/exit.ts'
import { kebab } from '../../terminal/option.ts'
import { runChild } from './child.ts'

/** Throws a UsageError that names each flag or argument with a value that the ledger would reject. */
export function refuseFaults(command: Command, schema: z.ZodType, input: Record<string, unknown>) {
  const { error } = schema.safeParse(input, explained)
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

type Say = (words: string) => void

/**
 * Where to record. Undefined if a variable of the environment or a file is wrong, which must not stop the command. `say`
 * receives what that means.
 */
export function placeToRecord(options: PlaceOptions, say: Say): Place | undefined {
  try {
    const place = placeOf(options, process.env, process.cwd())
    // A pull request from a fork gets no secrets.
    if (place.kind === 'local' && options.profile === undefined && process.env.CONDUCT_URL === '') {
      say(`CONDUCT_URL is empty, so this records to ${shownPlace(place)}.`)
    }
    return place
  } catch (error) {
    if (error instanceof UsageError && !(error instanceof SettingError)) throw error
    say((error as Error).message)
    say('The command runs anyway; it is not recorded.')
  }
}

/** Runs the command and returns its exit code. */
export async function runUnrecorded(words: string[], say: Say): Promise<number> {
  const { exitCode, fault } = await runChild(words, { env: { ...process.env, CONDUCT_RUN_ID: undefined } })
  if (fault) say(fault)
  return exitCode
}
