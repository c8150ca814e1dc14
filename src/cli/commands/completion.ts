import { Argument, Command, type Option } from 'commander'
import { addExamples } from '../../terminal/option.ts'
import type { CommandEntry } from './commands.ts'

/** `conduct completion bash|zsh`: prints a script generated from all commands, their flags and the values of these. */
export function completionCommand(commands: Record<string, CommandEntry>): Command {
  const command = new Command('completion')
    .description('Print the completion script for a shell')
    .addArgument(new Argument('<shell>', 'the shell that reads it').choices(['bash', 'zsh']))
    .action(async (shell: 'bash' | 'zsh') => {
      const words = await cases(commands)
      process.stdout.write(shell === 'bash' ? bash(words) : zsh(words))
    })
  return addExamples(command, [
    'mkdir -p ~/.local/share/bash-completion/completions ~/.zfunc',
    'conduct completion bash > ~/.local/share/bash-completion/completions/conduct',
    'conduct completion zsh > ~/.zfunc/_conduct   # with fpath=(~/.zfunc $fpath) before compinit',
  ])
}

/** Which words can follow which, as branches of a shell `case`: `'run list') echo '--status …';;` */
async function cases(commands: Record<string, CommandEntry>): Promise<string> {
  const lines = [branch('', [...Object.keys(commands), 'help', '--version', '--help'])]
  for (const [name, { load }] of Object.entries(commands)) lines.push(...branches(await load(), name))
  return lines.join('\n')
}

function branches(command: Command, path: string): string[] {
  const flags = command.options.flatMap(({ long }) => (long ? [long] : []))
  const values = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? [])
  const names = command.commands.map((child) => child.name())
  return [
    branch(path, [...names, ...values, ...flags, '--help']),
    ...command.options.filter(({ argChoices }) => argChoices).map((option) => choices(path, option)),
    ...command.commands.flatMap((child) => branches(child, `${path} ${child.name()}`)),
  ]
}

const choices = (path: string, { long, argChoices }: Option) => branch(`${path} ${long}`, argChoices ?? [])
const branch = (path: string, words: string[]) => `    '${path}') echo '${words.join(' ')}';;`

/**
 * The words before the cursor, without flags and their values, select a branch. So can the flag just before the cursor.
 */
const shared = (words: string) => `_conduct_words() {
  case "$1" in
${words}
  esac
}
_conduct_path() {
  local trail='' word next
  for word in "$@"; do
    next="\${trail:+$trail }$word"
    case "$word" in
      -*) ;;
      *) [ -n "$(_conduct_words "$next")" ] && trail="$next" ;;
    esac
  done
  printf '%s' "$trail"
}
`

const bash = (words: string) => `# Bash completion, made by: conduct completion bash
${shared(words)}_conduct() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" trail found
  trail="$(_conduct_path "\${COMP_WORDS[@]:1:COMP_CWORD-1}")"
  found="$(_conduct_words "$trail $before")"
  case "$before" in -*) ;; *) found='' ;; esac
  [ -n "$found" ] || found="$(_conduct_words "$trail")"
  COMPREPLY=($(compgen -W "$found" -- "$current"))
}
complete -o default -F _conduct conduct
`

const zsh = (words: string) => `#compdef conduct
# Zsh completion, made by: conduct completion zsh
${shared(words)}_conduct() {
  local before="\${words[CURRENT-1]}" trail found
  trail="$(_conduct_path "\${(@)words[2,CURRENT-1]}")"
  found="$(_conduct_words "$trail $before")"
  case "$before" in -*) ;; *) found='' ;; esac
  [ -n "$found" ] || found="$(_conduct_words "$trail")"
  compadd -- \${=found}
  _files
}
if [ "\${funcstack[1]}" = _conduct ]; then _conduct "$@"; else compdef _conduct conduct; fi
`
