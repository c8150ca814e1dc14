import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command, SyntaxNode } from 'unbash'
import { variables } from '../../nouns/run/verdict/command-list.ts'
import { pathIn } from '../../system/paths.ts'
import { temporaryFolders } from '../../system/places.ts'

/** The options of the shell that decide what an exit code says. */
export interface Flags {
  errexit: boolean
  pipefail: boolean
}

export interface ShellScope extends Flags {
  cwd: string | undefined
  variables: string[]
}

export const copyOf = (scope: ShellScope): ShellScope => ({ ...scope, variables: [...scope.variables] })

export const isFolder = (folder: string | undefined) => folder !== undefined && existsSync(folder)

/** What a command does to the shell: nothing, something that `scope` now shows, or something that cannot be followed. */
type ShellChange = 'none' | 'followed' | 'unclear'

/** Follows a command that changes the shell. `isTemporary` says whether the project itself is in a temporary folder. */
export function followChange(node: Command, args: string[], scope: ShellScope, isTemporary: boolean): ShellChange {
  const [name = '', ...rest] = args
  if (keepsVariables.has(name) && assignmentsOf(node.prefix).length > 0) return 'unclear'
  switch (name) {
    case '':
      scope.variables.push(...assignmentsOf(node.prefix))
      return 'followed'
    case 'export':
      if (!rest.every((word) => /^\0?\w+(?:=|$)/.test(word))) return 'unclear'
      scope.variables.push(...assignmentsOf(node.suffix))
      return 'followed'
    case 'cd':
      scope.cwd = folderOf(rest, scope)
      return 'followed'
    case 'pushd':
    case 'popd':
      scope.cwd = undefined
      return 'followed'
    case 'set':
      return setOptions(rest, scope) ? 'followed' : 'unclear'
    case 'source':
    case '.':
      return rest.length === 1 && isKnownSource(rest[0] as string, scope, isTemporary) ? 'followed' : 'unclear'
    case 'command': {
      const started = rest.find((word) => !word.startsWith('-')) ?? ''
      return isUnclear(started) || followed.has(started) ? 'unclear' : 'none'
    }
    case 'printf':
      return rest[0]?.startsWith('-v') ? 'unclear' : 'none'
    case 'wait':
      return rest.some((word) => /^-[a-z]*p/.test(word)) ? 'unclear' : 'none'
    default:
      return isUnclear(name) ? 'unclear' : 'none'
  }
}

/** The variables that a command sets, as they are written. */
export const assignmentsOf = (words: Command['prefix'] | Command['suffix']): string[] =>
  words.flatMap((one) => (one.type === 'Assignment' ? [one.text] : []))

const followed = new Set(['cd', 'export', 'set', 'source', '.'])

/** Builtins that may change what another command does, or how the line ends. */
const unclear = new Set(
  `alias autoload break builtin continue declare disable emulate enable eval exec exit fc float functions getopts hash
   integer let local logout mapfile print read readarray readonly return sched setopt shift shopt suspend trap typeset
   unalias unfunction unhash unset unsetopt vared zmodload`.split(/\s+/),
)

/** Builtins for which POSIX shells keep the variables before them, and `cd`, which reads CDPATH. */
const keepsVariables = new Set([':', '.', 'cd', 'export', 'set', 'source', 'times'])

/** Whether a part of a word sets a variable: `${NAME:=…}`, and zsh's `${NAME::=…}`. */
export const setsVariable = (node: SyntaxNode): boolean => {
  if (node.type !== 'ParameterExpansion') return false
  const { operation, text } = node
  return operation?.type === 'Default' ? operation.operator.endsWith('=') : text.includes('::=')
}

/** Whether a command may be one of them: what `$(…)` stands for is not known, but no builtin has a slash. */
const isUnclear = (name: string) => unclear.has(name) || /^\0[^/]*$/.test(name)

/** Files that only set variables: those of Python's and Rust's environments. */
const knownSource = /(?:^|\/)(?:bin\/activate|\.cargo\/env)"?$/
/** What prints the folder of a project or of an environment. */
const asking = 'pwd|git rev-parse --show-toplevel|poetry env info (?:--path|-p)|pipenv --venv|conda info --base'
/** A path below a folder that no variable of the line names. */
const expanded = new RegExp(String.raw`^\0"?(?:~|\$\{?(?<name>\w+)\}?"?|\$\((?:${asking})\))/[\w./-]+"?$`)

/** Whether it is such a file, and not in a temporary folder, where another one may have that name. */
function isKnownSource(word: string, { cwd = '/' }: ShellScope, isTemporary: boolean): boolean {
  if (!knownSource.test(word)) return false
  if (!word.startsWith('\0')) {
    const path = resolve(cwd, word)
    return isTemporary || !temporaryFolders().some((folder) => pathIn(folder, path))
  }
  const found = expanded.exec(word)
  return found !== null && !word.includes('..') && !variables.has(found.groups?.name ?? '')
}

/** The target of a plain `cd`; undefined if only the shell knows it, or it does not exist. */
function folderOf(args: string[], { cwd }: ShellScope): string | undefined {
  const [target] = args
  if (cwd === undefined || target === undefined || args.length > 1 || /^[-\0]/.test(target)) return undefined
  const folder = resolve(cwd, target)
  return isFolder(folder) ? folder : undefined
}

/** Follows options that decide what an exit code says. Returns false for those that it does not know. */
export function setOptions(args: string[], scope: Flags): boolean {
  if (args.length === 0) return false
  for (let at = 0; at < args.length; at++) {
    const [, sign, letters = ''] = /^([-+])([euxo]+)$/.exec(args[at] ?? '') ?? []
    if (sign === undefined) return false
    const isOn = sign === '-'
    if (letters.includes('e')) scope.errexit = isOn
    for (const _ of letters.replaceAll(/[^o]/g, '')) {
      const option = args[++at]
      if (option === 'pipefail') scope.pipefail = isOn
      else if (option === 'errexit') scope.errexit = isOn
      else if (option !== 'nounset' && option !== 'xtrace') return false
    }
  }
  return true
}
