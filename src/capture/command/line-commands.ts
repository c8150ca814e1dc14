import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import {
  type AndOr,
  type Command,
  type CompoundList,
  forEachChild,
  type Pipeline,
  type PipelineNode,
  parse,
  type Script,
  type SyntaxNode,
  type WordPart,
} from 'unbash'
import { onlyReads } from '../../nouns/run/verdict/only-reads.ts'
import { areRefused, writesFile } from './redirects.ts'
import {
  assignmentsOf,
  copyOf,
  type Flags,
  followChange,
  isFolder,
  type ShellScope,
  setOptions,
  setsVariable,
} from './shell.ts'

/** A simple command of a line, in the order in which they are written. */
export interface LineCommand {
  /** As it is written, after the variables that were set before it. */
  text: string
  /** Where it runs; undefined if only the shell knows that. */
  cwd: string | undefined
  /** Whether it may change a file. */
  writes: boolean
  /** Whether it runs beside what follows. */
  isBeside: boolean
  /** Whether it can end with anything but 0. */
  canFail: boolean
}

export interface ReadLine {
  root: Script
  /** The commands by their nodes; those in substitutions, conditions and loops have no node. */
  commands: Map<SyntaxNode, LineCommand>
  all: LineCommand[]
  /** The options at each list and pipeline. */
  flags: Map<SyntaxNode, Flags>
  /** The script of each `bash -c`. */
  inner: Map<SyntaxNode, Script>
  /** What the shell did not even start, because it could not open a file. */
  refused: Set<SyntaxNode>
  /** Whether something in the line may change what its exit code, or a command, means: `trap`, `exit`, a function, … */
  isUnclear: boolean
}

/** Longer lines are not read. */
const longest = 65_536
/** How many shells may be started one in the other. */
const deepest = 3

/** The commands of a line that began in `cwd`; undefined if it is no line of a POSIX shell, or very long. */
export function commandsIn(line: string, cwd: string): ReadLine | undefined {
  const root = parsed(line)
  if (!root) return undefined
  const read: ReadLine = {
    ...{ root, commands: new Map(), all: [], flags: new Map(), inner: new Map(), refused: new Set() },
    isUnclear: false,
  }
  const scope: ShellScope = { cwd: resolve(cwd), variables: [], errexit: false, pipefail: false }
  const isTemporary = /^(?:\/private)?\/tmp\//.test(`${resolve(cwd)}/`)
  visitList({ read, source: line, depth: 0, isBeside: false, isTemporary }, root, scope)
  return read
}

/** Whether a line may leave a process that goes on after it: one with `&`, without a later `wait` or `kill`. */
export function leavesProcess(line: string): boolean {
  if (!line.includes('&')) return false
  const { all = [] } = commandsIn(line, '/') ?? {}
  const last = all.findLastIndex(({ isBeside }) => isBeside)
  return last >= 0 && !all.slice(last + 1).some(({ text }) => /^(?:wait|kill)\b/.test(text))
}

function parsed(line: string): Script | undefined {
  if (line.length > longest) return undefined
  const script = parse(line)
  return script.errors?.length ? undefined : script
}

/** Where the walk is. */
interface WalkState {
  read: ReadLine
  source: string
  depth: number
  isBeside: boolean
  /** Whether the project itself is below /tmp. */
  isTemporary: boolean
}

function visitList(place: WalkState, list: Script | CompoundList, scope: ShellScope) {
  for (const { command, background } of list.commands) {
    if (background) visit({ ...place, isBeside: true }, command, copyOf(scope))
    else visit(place, command, scope)
    // What sets `-e` may itself fail after that.
    const flags = place.read.flags.get(command)
    if (flags && scope.errexit) flags.errexit = true
  }
}

/** Commands after the first of a chain may not run: whether they changed the shell is unclear after it. */
function visitChain(place: WalkState, { commands: [first, ...others] }: AndOr, scope: ShellScope) {
  if (first) visit(place, first, scope)
  const certain = copyOf(scope)
  for (const command of others) visit(place, command, scope)
  if (!isDeepStrictEqual(certain, scope)) scope.cwd = undefined
}

/** The commands of a pipeline have shells of their own. Only zsh runs the last one in the shell itself. */
function visitPipeline(place: WalkState, { commands }: Pipeline, scope: ShellScope) {
  let own = scope
  for (const command of commands) {
    own = commands.length > 1 ? copyOf(scope) : scope
    visit(place, command, own)
  }
  if (!isDeepStrictEqual(own, scope)) scope.cwd = undefined
}

function visit(place: WalkState, node: PipelineNode | AndOr, scope: ShellScope) {
  const { read } = place
  read.flags.set(node, { errexit: scope.errexit, pipefail: scope.pipefail })
  if ('redirects' in node && areRefused(node.redirects, scope.cwd)) read.refused.add(node)
  switch (node.type) {
    case 'Command':
      return visitCommand(place, node, scope)
    case 'AndOr':
      return visitChain(place, node, scope)
    case 'Pipeline':
      return visitPipeline(place, node, scope)
    case 'Subshell':
      return visitList(place, node.body, copyOf(scope))
    case 'BraceGroup':
      return visitList(place, node.body, scope)
    case 'Redirected':
      if (writesFile(node.redirects, place.isTemporary)) other(place, true)
      for (const redirect of node.redirects) visitNested(place, redirect)
      return visit(place, node.command, scope)
    case 'TestCommand':
    case 'ArithmeticCommand':
      return visitNested(place, node)
    default:
      // What a condition or a loop ran, and what it changed, is not known.
      if (node.type === 'Function' || node.type === 'Coproc') read.isUnclear = true
      visitNested(place, node)
      scope.cwd = undefined
  }
}

/** The words of a command. One that the shell would expand stays as it is written, after a NUL. */
function argumentsOf({ name, args }: Command): string[] {
  return [...(name ? [name] : []), ...args].map((arg) => {
    if (arg.type === 'Assignment') return arg.text
    return (arg.parts ?? []).every(isPlain) ? arg.value : `\0${arg.text}`
  })
}

const isPlain = (part: WordPart): boolean =>
  part.type === 'Literal' || part.type === 'SingleQuoted' || (part.type === 'DoubleQuoted' && part.parts.every(isPlain))

/** Commands of which only what they may do matters. */
function visitNested(place: WalkState, node: SyntaxNode) {
  forEachChild(node, (child) => {
    if (setsVariable(child)) place.read.isUnclear = true
    if (child.type === 'Command') {
      const inner = place.source.slice(child.pos, child.end)
      other(place, mayWrite(place, inner, child))
    }
    // A script in backticks may have a text of its own.
    const source = (child.type === 'Script' && child.source) || place.source
    const isBeside = place.isBeside || (child.type === 'Statement' && child.background === true)
    visitNested({ ...place, source, isBeside }, child)
  })
}

function visitCommand(place: WalkState, node: Command, scope: ShellScope) {
  const { read, source } = place
  visitNested(place, node)
  const own = source.slice(node.pos, node.end)
  const text = [...scope.variables, own].join(' ')
  const args = argumentsOf(node)
  const { cwd } = scope
  if (startsScript(args)) return visitShell(place, node, args, scope)
  const change = followChange(node, args, scope, place.isTemporary)
  if (change === 'unclear') read.isUnclear = true
  const writes = change !== 'followed' && mayWrite(place, own, node)
  const isSafe =
    args.length === 0 ? !/[$`]/.test(own) : args[0] === 'cd' ? isFolder(scope.cwd) : neverFails.has(args[0] as string)
  const canFail = !isSafe || writes
  read.commands.set(node, other(place, writes, { text, cwd, canFail }))
}

const mayWrite = ({ isTemporary }: WalkState, text: string, { redirects }: Command) =>
  !onlyReads(text) || writesFile(redirects, isTemporary)

function other({ read, isBeside }: WalkState, writes: boolean, more: Partial<LineCommand> = {}): LineCommand {
  const command = { text: '', cwd: undefined, canFail: true, ...more, writes, isBeside }
  read.all.push(command)
  return command
}

const neverFails = new Set([':', 'echo', 'export', 'pwd', 'set', 'true'])

const shells = /^(?:\/(?:usr\/)?bin\/)?(?:ba|z|da)?sh$/

const startsScript = ([name = '', ...args]: string[]) => shells.test(name) && args.some((arg) => /^-[a-z]*c$/.test(arg))

/** `bash -lc SCRIPT`: its exit code is that of the script. */
function visitShell(place: WalkState, node: Command, args: string[], scope: ShellScope) {
  const { read, depth } = place
  const flags: Flags = { errexit: false, pipefail: false }
  const at = args.findIndex((arg, index) => index > 0 && /^-[a-z]*c$/.test(arg))
  const letters = (args[at] as string).slice(1, -1).replaceAll('l', '')
  const options = [...args.slice(1, at), ...(letters === '' ? [] : [`-${letters}`])]
  const [script, ...more] = args.slice(at + 1)
  const inner = script === undefined || script.startsWith('\0') || depth === deepest ? undefined : parsed(script)
  if (!inner || script === undefined || more.length > 0 || (options.length > 0 && !setOptions(options, flags))) {
    read.commands.set(node, other(place, true))
    return
  }
  if (writesFile(node.redirects, place.isTemporary)) other(place, true)
  const variables = [...scope.variables, ...assignmentsOf(node.prefix)]
  read.inner.set(node, inner)
  visitList({ ...place, source: script, depth: depth + 1 }, inner, { ...flags, cwd: scope.cwd, variables })
}
