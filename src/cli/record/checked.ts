import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CheckRule } from '../place/rules.ts'

/** Where a command ran, and the folder whose rules apply. */
export interface Where {
  cwd: string
  home: string | undefined
}

/**
 * The names of the checks in a command line. Empty if its exit code may not be that of the check's command: after `|`,
 * `;`, `||` or `&`. If a chain of `&&` passes, so did each command; if it fails, the failed one may be any of them.
 */
export function checkNamesOf(line: string, exitCode: number | undefined, rules: CheckRule[], where: Where): string[] {
  const commands = chainOf(line)
  if (exitCode === undefined || commands === undefined) return []
  let cwd: string | undefined = resolve(where.cwd)
  const found: string[] = []
  let isAlone = true
  for (const [at, command] of commands.entries()) {
    if (/^(?:cd|pushd|popd)\b/.test(command)) {
      const folder = folderOf(command)
      cwd = cwd !== undefined && folder !== undefined ? resolve(cwd, folder) : undefined
    } else {
      isAlone &&= at === commands.length - 1
      if (cwd !== undefined && isSame(cwd, where.home))
        found.push(...rules.filter((rule) => isOf(rule, command)).map(({ name }) => name))
    }
  }
  return exitCode === 0 || isAlone ? [...new Set(found)] : []
}

/** Whether two paths name the same folder. On macOS, /tmp is a symbolic link. */
const isSame = (one: string, other: string | undefined) =>
  other !== undefined && (one === other || realOf(one) === realOf(other))

function realOf(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    return folder
  }
}

/** The commands between `&&`; undefined if the line has any other separator. */
function chainOf(line: string): string[] | undefined {
  // Quotes and redirections do not separate commands. Each character of them is replaced by one other, so that
  // positions stay.
  const plain = line
    .replace(/\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*"/g, (text) => '_'.repeat(text.length))
    .replace(/\d?[<>]&\d?-?|&>>?/g, (text) => '_'.repeat(text.length))
  const commands: string[] = []
  let from = 0
  for (const { index } of plain.matchAll(/&&/g)) {
    commands.push(line.slice(from, index).trim())
    from = index + 2
  }
  commands.push(line.slice(from).trim())
  const isPlain = !/[|;&\n]/.test(plain.replaceAll('&&', '__').trim())
  return isPlain ? commands : undefined
}

/** The target of a plain `cd`; undefined if only the shell knows it. */
function folderOf(command: string): string | undefined {
  const [, single, double, bare] = /^cd\s+(?:'([^']*)'|"([^"$`\\]*)"|([^\s'"$`\\~*?]+))$/.exec(command) ?? []
  return single ?? double ?? bare
}

function isOf({ patterns }: CheckRule, command: string): boolean {
  // Variables that are set only for the command are not part of it.
  const [, named = command] = /^(?:[A-Za-z_]\w*=[^\s'"`$]*\s+)*([\s\S]*)$/.exec(command) ?? []
  return patterns.some((pattern) => matches(named.trim(), pattern.trim()))
}

/** `*` matches any characters. Linear: each piece is matched where it first occurs. */
function matches(text: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return text === first
  if (!text.startsWith(first)) return false
  let at = first.length
  for (const piece of rest) {
    const found = text.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}
