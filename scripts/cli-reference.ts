import type { Command, Option } from 'commander'
import { commands, groups } from '../src/cli/commands/commands.ts'
import { exitCodes } from '../src/cli/exit.ts'
import { commonHeading, examplesOf } from '../src/cli/option.ts'
import { programFor, sentence } from '../src/cli/program.ts'

/** Generates docs/cli.md: what applies to all commands, then the help of each command. */
export async function cliReference(): Promise<string> {
  const sections: string[] = []
  for (const group of Object.keys(groups)) {
    for (const [name, entry] of Object.entries(commands)) {
      if (entry.group !== group) continue
      const program = await programFor(name)
      const command = program.commands.find((one) => one.name() === name) as Command
      sections.push(`## conduct ${name}\n\n${sentence(entry.summary)}\n`, ...sectionsOf(command))
    }
  }
  return `${head}\n${sections.join('\n')}`
}

const head = `# The command line

Generated from the commands by \`npm run generate\`; do not edit. \`conduct --help\` shows the first of them, \`conduct help
<command>\` all of one: \`conduct help run create\`. Most are made from the same table as the API, so that a flag is a field
of [the API](api.md): \`specId\` is \`--spec-id\`, \`git.commit\` is \`--git-commit\`, a label is \`--label team=web\`. What can be given
several times is repeated: \`--status failed --status pending\`. A content comes from a file, or from the standard input
for \`-\`. A change replaces a field whole: a \`--label\` all labels, \`--git-commit\` all that was known of git. \`--clear title\` sets
a field to nothing.

## Where the ledger is

The first of these that is there:

1. \`--profile work\`: a server that \`conduct profile add\` keeps, with its key; \`--profile local\`: the database of this machine;
2. \`CONDUCT_URL\`, a server, with the key in \`CONDUCT_API_KEY\`;
3. the profile in use (\`conduct profile use\`);
4. the database of this machine, opened in process: \`CONDUCT_DATABASE_URL\`, else the file that \`conduct serve\` uses too. No
   server and no key are needed, many processes may use it at once, and a server may run on it meanwhile.

The project is the one of \`--project\`, else \`CONDUCT_PROJECT\`, else what the nearest \`conduct.json\` says
(\`{ "project": "shop" }\`, also that of the main worktree), else the profile's. On the local database it is, failing all of
these, named after the git origin (\`owner.name\`) or the folder, and made when it is new. On lists \`--project\` may be
repeated, and \`--all-projects\` looks through all. \`conduct status\`, or \`conduct\` alone, tells what was found.

Keys never stand among arguments, which every user of a machine can read: they come by \`CONDUCT_API_KEY\`, a hidden prompt,
the standard input (\`--key-stdin\`) or a file that only its owner can read (\`--key-file\`). A command that has one among its
arguments is refused. Profiles lie in \`~/.config/conduct/profiles.json\` (or in \`$XDG_CONFIG_HOME\`), mode 0600.

**The admin key is lost?** Who can open the database needs none. On the machine of the server, with its
\`CONDUCT_DATABASE_URL\` if it has one:

\`\`\`sh
conduct key create --profile local --all-projects --name rescue --permission admin
\`\`\`

## What is printed

Results go to the standard output, everything else to the standard error. Lists are tables that fit the terminal, and are
not cut where the output goes elsewhere. Times are told as distances; \`--utc\` gives them exactly. Control characters in what the
ledger answers are taken out, but from \`conduct run content\` into a file or pipe and from JSON, which escapes them.

| option | |
|---|---|
| \`--json\` | the answer of the API, unchanged; with \`--all\` a line for each item. Errors too are JSON then, on the standard error |
| \`--quiet\` | nothing but ids, contents and secrets: \`RUN=$(conduct run create --quiet)\` |
| \`--all\` | all pages of a list |
| \`--utc\` | exact times |
| \`--no-color\`, \`NO_COLOR\` | no colours; there are none anyway where the output is no terminal |
| \`--dry-run\` | on writes: the request that would be sent, without the key; nothing is sent |
| \`--profile\`, \`--project\` | where to act, see above |

These may stand anywhere before a \`--\`, and are not repeated below. What prints no answer of the ledger (\`exec\`, \`init\`,
\`mcp\`) takes only the last.

## Exit codes

| code | meaning |
|---|---|
${Object.values(exitCodes)
  .map(([code, meaning]) => `| ${code} | ${meaning} |`)
  .join('\n')}

\`conduct events --follow\` ends with 130 by Ctrl-C. A server that does not answer is tried four times, for about two
seconds; a write is sent with an idempotency key, so that it happens once.
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
  const table = rows.length > 0 ? `\n| flag | |\n|---|---|\n${rows.join('\n')}\n` : ''
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
