import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'unbash'

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

/** Follows a command that changes the shell. */
export function followChange(node: Command, args: string[], scope: ShellScope): ShellChange {
  const [name = '', ...rest] = args
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
      return rest.length === 1 && knownSource.test(rest[0] as string) ? 'followed' : 'unclear'
    case 'command': {
      const started = rest.find((word) => !word.startsWith('-')) ?? ''
      return isUnclear(started) || followed.has(started) ? 'unclear' : 'none'
    }
    case 'printf':
      return rest[0]?.startsWith('-v') ? 'unclear' : 'none'
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
  `alias break builtin continue declare enable eval exec exit hash let local logout mapfile read readarray readonly return
   shift shopt suspend trap typeset unalias unset`.split(/\s+/),
)

/** Whether a command may be one of them: what `$(…)` stands for is not known, but no builtin has a slash. */
const isUnclear = (name: string) => unclear.has(name) || /^\0[^/]*$/.test(name)

/** Files that only set variables: those of Python's and Rust's environments. */
const knownSource = /(?:^|\/)(?:bin\/activate|\.cargo\/env)"?$/

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
