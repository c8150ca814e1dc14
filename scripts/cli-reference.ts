import type { Command, Option } from 'commander'
import { commands, groups } from '../src/cli/commands/commands.ts'
import { programFor, sentence } from '../src/cli/program.ts'
import { exitCodes } from '../src/terminal/exit.ts'
import { commonHeading, examplesOf } from '../src/terminal/option.ts'

/** Generates docs/cli.md: what applies to all commands, then the help of each command. */
export async function cliReference(): Promise<string> {
  const sections: string[] = []
  for (const group of Object.keys(groups)) {
    for (const [name, entry] of Object.entries(commands)) {
      if ((entry.group ?? 'more') !== group) continue
      const program = await programFor(name)
      const command = program.commands.find((one) => one.name() === name) as Command
      sections.push(`## conduct ${name}\n\n${sentence(entry.summary)}\n`, ...sectionsOf(command))
    }
  }
  return `${head}\n${sections.join('\n')}`
}

const head = `# The command line

\`npm run generate\` generates this page from the commands; do not edit it. \`conduct --help\` lists the most common
commands, and \`conduct help run create\` describes one. Most commands come from the same table as [the API](api.md), so a
flag is a field of the API: \`specId\` is \`--spec-id\`, \`git.commit\` is \`--git-commit\`, a label is \`--label team=web\`.

- To give several values, repeat the flag: \`--status failed --status pending\`.
- A content comes from a file, or from standard input for \`-\`.
- A change replaces the whole field: one \`--label\` replaces all labels, \`--git-commit\` all fields of git. The
  flags of a retention leave its other parts as they are.
- \`--clear title\` empties a field.

## Where the ledger is

Commands use the first of these that is set:

1. \`--profile work\`: a server saved by \`conduct profile add\`, with its key; \`--profile local\`: the database of this machine;
2. \`CONDUCT_URL\`, a server, with the key in \`CONDUCT_API_KEY\`;
3. the profile in use (\`conduct profile use\`);
4. the database of this machine: \`CONDUCT_DATABASE_URL\`, else the file that \`conduct serve\` uses, too. Commands open it
   directly, without a server or key. Many processes may use it at the same time, also while a server runs.

The project is that of \`--project\`, else \`CONDUCT_PROJECT\`, else the one in the nearest \`conduct.json\`
(\`{ "project": "shop" }\`; the main worktree's counts, too), else the profile's. Without any of these, commands on the
local database use the name of the git origin (\`owner.name\`) or of the folder, and create the project if it is new. On
lists, \`--project\` may be repeated, and \`--all-projects\` lists all. \`conduct status\`, or just \`conduct\`, shows what
applies.

Every user of a machine can read the arguments of commands, so keys never are arguments. Pass a key in \`CONDUCT_API_KEY\`,
at a hidden prompt, on standard input (\`--key-stdin\`), or in a file that only its owner can read (\`--key-file\`).
\`conduct\` refuses a command with a key among its arguments. Profiles are in \`~/.config/conduct/profiles.json\` (or in
\`$XDG_CONFIG_HOME\`), mode 0600.

**Lost the admin key?** Anyone who can open the database can create a new one. Run this on the server's machine, with
the server's \`CONDUCT_DATABASE_URL\` if it has one:

\`\`\`sh
conduct key create --profile local --all-projects --name rescue --permission admin --service
\`\`\`

## Output

Results go to standard output, everything else to standard error. Lists are tables that fit the terminal; in a file or
pipe, nothing is cut. Times are relative; \`--utc\` prints them exactly. Commands remove control characters from the
ledger's texts, except in \`conduct run content\` and CSV to a file or pipe; JSON escapes them.

| option | meaning |
|---|---|
| \`--json\` | print the response of the API, unchanged; with \`--all\`, one line per item. Errors are JSON, too, on standard error, except for a wrong command or flag |
| \`--quiet\` | print only ids, contents and secrets: \`RUN=$(conduct run create --quiet)\` |
| \`--all\` | all pages of a list |
| \`--utc\` | exact times |
| \`--no-color\`, \`NO_COLOR\` | no colours; without a terminal, there are none anyway |
| \`--dry-run\` | for writes: print the request without the key, and send nothing |
| \`--profile\`, \`--project\` | where to act, see above |

These options may stand before the command or after all of its words, but not after \`--\`: \`conduct --json run list\` or
\`conduct run list --json\`. The sections below do not repeat them. Commands that do not print a response of the API, such
as \`exec\`, \`export\` and \`mcp\`, take only some of them; \`conduct help exec\` lists which.

## Exit codes

| code | meaning |
|---|---|
${Object.values(exitCodes)
  .map(([code, meaning]) => `| ${code} | ${meaning} |`)
  .join('\n')}

Commands try a server that does not respond four times, for about two seconds. A write carries an idempotency key, so it
happens once. \`conduct events --follow\` tries until the server responds; Ctrl-C ends it with 130.
`

function sectionsOf(command: Command): string[] {
  if (command.commands.length === 0) return [detailsOf(command)]
  // A command with an argument can also run by itself.
  const own = command.registeredArguments.length > 0 ? [detailsOf(command)] : []
  const children = command.commands.map(
    (child) => `### ${pathOf(child)}\n\n${sentence(child.description())}\n\n${detailsOf(child)}`,
  )
  return [...own, ...children]
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}

function detailsOf(command: Command): string {
  const usage = `\`${pathOf(command)} ${command.usage()}\`\n`
  // Its flags are the settings, and some defaults depend on the machine.
  if (command.name() === 'serve') {
    return `${usage}\n[Settings](settings.md) lists its flags.\n${examplesIn(command)}`
  }
  const rows = command.options.filter((option) => option.helpGroupHeading !== commonHeading).map(rowOf)
  const table = rows.length > 0 ? `\n| flag | meaning |\n|---|---|\n${rows.join('\n')}\n` : ''
  return `${usage}${table}${examplesIn(command)}`
}

function examplesIn(command: Command): string {
  const { lines = [], language = 'sh' } = examplesOf(command) ?? {}
  return lines.length > 0 ? `\n\`\`\`${language}\n${lines.join('\n')}\n\`\`\`\n` : ''
}

function rowOf({ flags, description, mandatory, argChoices }: Option): string {
  const values = argChoices ? `one of ${argChoices.join(', ')}` : ''
  const words = [description, values].filter(Boolean).join('; ')
  return `| \`${flags}\`${mandatory ? ' (required)' : ''} | ${words.replaceAll('|', '\\|')} |`
}
