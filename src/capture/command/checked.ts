import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import type { AndOr, PipelineNode, Script, SyntaxNode } from 'unbash'
import { additionsOf, normalForm } from '../../nouns/run/verdict/command.ts'
import { shellWords } from '../../nouns/run/verdict/shell-words.ts'
import type { RanByOutcome, RanCheck, RanLine } from '../../recorder/facts.ts'
import type { CheckRule } from '../../recorder/trees.ts'
import { commandsIn, type LineCommand, type ReadLine } from './line-commands.ts'
import { isWritable } from './redirects.ts'

/** Where a command ran, and the folder whose rules apply. */
interface Where {
  cwd: string
  home: string | undefined
}

/**
 * The checks that a line ran, and what else it did. A check counts only if the exit code of the line proves its own: in
 * `npm test | tail` it is that of `tail`. The exit codes 126 and 127 mean that nothing ran.
 */
export function readLine(line: string, exitCode: number | undefined, rules: CheckRule[], where: Where): RanLine {
  const namesOf = namesBy(rules)
  const isHome = (cwd: string | undefined) => isSame(cwd, where.home)
  // A rule may itself be a line of several commands.
  const whole = isHome(where.cwd) && !isOdd.test(line) ? namesOf(line) : []
  const read = isOdd.test(line) ? undefined : commandsIn(line, where.cwd)
  const ofLine = checksOf(whole, line, exitCode, { isFirst: true, isAfterWriters: true, isLast: true })
  if (!read) return { checks: ofLine, writes: whole.length === 0 }
  const all = read.all.map((one): NamedCommand => ({ ...one, names: isHome(one.cwd) ? namesOf(one.text) : [] }))
  const inner = new Set(all.flatMap(({ names }) => names))
  if (whole.length > 0 && inner.size === 0) return { checks: ofLine, writes: false }
  const proven = exitCode === undefined || read.isUnclear ? [] : provenBy(read, exitCode)
  const orderOf = orderIn(all)
  const ofCommands = proven.flatMap(([node, code]) => {
    const at = read.all.indexOf(read.commands.get(node) as LineCommand)
    const command = all[at]
    return command ? checksOf(command.names, command.text, code, orderOf(at)) : []
  })
  const checks = [...ofLine.filter(({ name }) => !inner.has(name)), ...ofCommands]
  return { checks: [...new Map(checks.map((check) => [check.name, check])).values()], writes: all.some(isOtherWriter) }
}

/** A command of a line, with the names of the checks that it is. */
interface NamedCommand extends LineCommand {
  names: string[]
}

/** Returns the names of the rules that a command meets. */
function namesBy(rules: CheckRule[]): (text: string) => string[] {
  const known = rules.flatMap(({ name, commands }) => commands.map((command) => ({ name, ...asked(command) })))
  return (text) => {
    const { form, additions } = asked(text)
    const met = known.filter((rule) => rule.form === form && rule.additions.every((one) => additions.includes(one)))
    return [...new Set(met.map(({ name }) => name))]
  }
}

/** Whether a command that is no check may change files. */
const isOtherWriter = ({ writes, names }: NamedCommand) => writes && names.length === 0
/** Whether a command may put back what a check did not see. Tests do not. */
const mayPutBack = (command: NamedCommand) => command.writes && !command.names.includes('tests')

/** Returns how the command in that place stands to those that may change files. */
function orderIn(all: readonly NamedCommand[]): (at: number) => LineOrder {
  const firstWriter = all.findIndex(isOtherWriter)
  const isBeside = all.some((command) => mayPutBack(command) && command.isBeside)
  const lastWriter = all.findLastIndex(mayPutBack)
  const last = lastOf(all.filter((command) => command.writes || command.names.length > 0))
  return (at) => ({
    isFirst: firstWriter < 0 || at < firstWriter,
    isAfterWriters: !isBeside && at >= lastWriter,
    isLast: all[at] === last,
  })
}

/** A carriage return, and a backslash at the very end, are part of the last word. */
const isOdd = /\r|\\$/

/** What a line ran, before it is known how it ended. */
export const readingOf = (line: string, rules: CheckRule[], where: Where): RanByOutcome => ({
  passed: readLine(line, 0, rules, where),
  failed: readLine(line, 1, rules, where),
})

/** The same as `readLine` of that line. */
export function ranBy({ passed, failed }: RanByOutcome, exitCode: number | undefined): RanLine {
  if (exitCode === 0) return passed
  return { ...failed, checks: hasRun(exitCode) ? failed.checks.map((check) => ({ ...check, exitCode })) : [] }
}

/** What a command must have to be that of a rule. */
const asked = (command: string) => ({ form: normalForm(command), additions: additionsOf(command) })

/** The names of the checks that a line ran. */
export const checkNamesOf = (line: string, exitCode: number | undefined, rules: CheckRule[], where: Where): string[] =>
  readLine(line, exitCode, rules, where).checks.map(({ name }) => name)

type LineOrder = Pick<RanCheck, 'isFirst' | 'isAfterWriters' | 'isLast'>

const checksOf = (names: string[], text: string, exitCode: number | undefined, place: LineOrder): RanCheck[] =>
  hasRun(exitCode) ? names.map((name) => ({ name, command: text.trim(), exitCode, ...place })) : []

const hasRun = (exitCode: number | undefined): exitCode is number =>
  exitCode !== undefined && exitCode !== 126 && exitCode !== 127

/** The last command that may change files. One that runs beside the others ends after them. */
const lastOf = (all: LineCommand[]) => all.findLast(({ isBeside }) => isBeside) ?? all.at(-1)

/** Whether two paths name the same folder. On macOS, /tmp is a symbolic link. */
const isSame = (one: string | undefined, other: string | undefined) =>
  one !== undefined && other !== undefined && (one === other || realOf(one) === realOf(other))

function realOf(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    return folder
  }
}

type Proven = [node: SyntaxNode, exitCode: number]

/** The commands whose exit code follows from that of the line. */
function provenBy(read: ReadLine, exitCode: number): Proven[] {
  return proveList(read, read.root, exitCode, true)
}

/**
 * What is known of a list of which the exit code is known. `isHeeded` says whether the shell heeds `set -e` there: it
 * does not to the left of `&&`.
 */
function proveList(read: ReadLine, { commands }: Pick<Script, 'commands'>, code: number, isHeeded: boolean): Proven[] {
  const last = commands.at(-1)
  if (!last || last.background) return []
  const before = commands.slice(0, -1).filter(({ command, background }) => {
    return !background && isHeeded && read.flags.get(command)?.errexit
  })
  const ends = [...before.map(({ command }) => command), last.command]
  if (code !== 0) return proveOnly(read, ends, code, () => isHeeded)
  const passed = ends.filter((command) => command === last.command || endsShell(read, command))
  return passed.flatMap((command) => prove(read, command, 0, isHeeded))
}

/**
 * Whether, with `set -e`, the shell ends where this fails. The beginning of a chain does not end it, nor does a group that
 * ends with one.
 */
function endsShell(read: ReadLine, node: PipelineNode | AndOr): boolean {
  if (node.type === 'Redirected') return endsShell(read, node.command)
  if (node.type === 'BraceGroup') {
    const last = node.body.commands.at(-1)?.command
    return last !== undefined && read.flags.get(last)?.errexit === true && endsShell(read, last)
  }
  const [only] = node.type === 'Pipeline' && node.commands.length === 1 ? node.commands : []
  return only ? endsShell(read, only) : node.type !== 'AndOr'
}

/** The failure is that of the only command that can fail; if there are several, it may be any of them. */
function proveOnly(
  read: ReadLine,
  nodes: (PipelineNode | AndOr)[],
  code: number,
  isHeeded: (node: SyntaxNode) => boolean,
): Proven[] {
  const fallible = nodes.filter((node) => canFail(read, node))
  const [only] = fallible
  return only && fallible.length === 1 ? prove(read, only, code, isHeeded(only)) : []
}

function prove(read: ReadLine, node: PipelineNode | AndOr, code: number, isHeeded: boolean): Proven[] {
  if ((code !== 0 && read.refused.has(node)) || (node.type !== 'AndOr' && mayStayBehind(node))) return []
  switch (node.type) {
    case 'Command': {
      const inner = read.inner.get(node) as Script | undefined
      return inner ? proveList(read, inner, code, true) : [[node, code]]
    }
    case 'AndOr': {
      if (node.operators.includes('||')) return []
      const heeds = (one: SyntaxNode) => isHeeded && one === node.commands.at(-1)
      if (code !== 0) return proveOnly(read, [...node.commands], code, heeds)
      return node.commands
        .slice(node.commands.findLastIndex(mayStayBehind) + 1)
        .flatMap((command) => prove(read, command, 0, heeds(command)))
    }
    case 'Pipeline': {
      const [first] = node.commands
      if (!first || node.prefixes.some(({ type }) => type === 'Negation')) return []
      if (node.commands.length === 1) return prove(read, first, code, isHeeded)
      if (!read.flags.get(node)?.pipefail) return []
      // What the first one wrote was read to its end, unless that closed the pipe.
      return code === 0 || node.commands.slice(1).every((one) => isSteady(read, one))
        ? prove(read, first, code, isHeeded)
        : []
    }
    case 'Subshell':
    case 'BraceGroup':
      return proveList(read, node.body, code, isHeeded)
    case 'Redirected':
      return prove(read, node.command, code, isHeeded)
    default:
      return []
  }
}

/** Whether some shells run a command in the background: for them, `&>` ends it, with all that is before it in its chain. */
function mayStayBehind(node: PipelineNode): boolean {
  if (node.type === 'Pipeline') return node.commands.some(mayStayBehind)
  const redirects = node.type === 'Command' || node.type === 'Redirected' ? node.redirects : []
  return redirects.some(({ operator }) => operator.startsWith('&'))
}

function canFail(read: ReadLine, node: PipelineNode | AndOr): boolean {
  return node.type !== 'Command' || (read.commands.get(node)?.canFail ?? true)
}

/** Whether a command of a pipeline reads all of its input and ends with 0. */
function isSteady({ commands, refused }: ReadLine, node: SyntaxNode): boolean {
  const { text = '', cwd } = commands.get(node) ?? {}
  const words = shellWords(text) ?? []
  if (refused.has(node) || cwd === undefined) return false
  if (words[0] !== 'tee') return /^(?:cat|wc(?: -[clmw])?|tail(?: -n ?\d+| -\d+)?)$/.test(words.join(' '))
  return words.slice(1).every((word) => word === '-a' || isWritable(resolve(cwd, word)))
}
