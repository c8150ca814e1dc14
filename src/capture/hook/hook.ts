import { Argument, Command } from 'commander'
import { installs } from '../../recorder/agents/install.ts'
import { addExamples } from '../../terminal/option.ts'
import { observe } from './observe.ts'

/**
 * `conduct hook`: the command that agents run. `main.ts` calls `observe` directly, because an agent waits for each
 * hook.
 */
export function hookCommand(): Command {
  const command = new Command('hook')
    .description('Note what a coding agent does, from its hook document on standard input')
    .addArgument(new Argument('<agent>', 'whose hook it is').choices(installs.map(({ name }) => name)))
    .addHelpText(
      'after',
      '\nconduct init adds this command to the hooks of a project. It is quick, prints nothing, and exits with 0.',
    )
    .action(async (agent: string) => {
      process.stdout.write(await observe(agent, process.stdin, process.env))
    })
  return addExamples(command, [`echo '{ "hook_event_name": "SessionStart" }' | conduct hook claude`])
}
