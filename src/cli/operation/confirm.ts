import { isCancel, text } from '@clack/prompts'
import { UsageError } from '../../terminal/exit.ts'
import { asked } from '../../terminal/interactive.ts'

/** Asks the person at the terminal for the name of a project that is to be deleted. Throws a UsageError where nobody can be asked. */
export async function askName(slug: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new UsageError(`To delete project '${slug}' with all that is in it, give its name: --confirm <name>`)
  }
  const message = `This deletes all runs, specs, checks and features of project '${slug}' for good. Type its name`
  const name = await asked((signal) => text({ message, output: process.stderr, signal }))
  if (isCancel(name)) throw new UsageError('Nothing was deleted.')
  return name ?? ''
}
