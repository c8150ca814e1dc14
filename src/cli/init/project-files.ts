import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { jsonIn } from '../../place/foreign.ts'
import { topOf } from '../../place/git/repository.ts'
import { projectFile, projectFileAbove } from '../../place/project.ts'
import { fieldsOf, type JsonFields } from '../../recorder/agents/fields.ts'
import { type HookFile, type HookLine, type Install, installs, type ServerFile } from '../../recorder/agents/install.ts'
import { here, type System } from '../../system/system.ts'
import { agentsBlock } from '../../words.ts'
import { type Checks, proposedChecks, proposedRequired } from './checks.ts'
import { editOf, type FileEdit, isChange, readText, refuseOutside } from './edit.ts'
import { hasHooks, hasServer, withBlock, withHooks, withPlugin, withServer } from './entry.ts'

/** What `conduct init` should do. */
export interface InitPlan {
  root: string
  project: string
  agents: readonly Install[]
  hooks: boolean
  /** The checks to write if conduct.json has none. */
  checks: Checks
  /** Whether to remove what an earlier init wrote instead of writing. */
  remove: boolean
  /** Whether to add or remove the whole project rather than some of its agents. */
  whole: boolean
}

type TextEdit = (text: string | undefined) => string | undefined

/** The folder to set up: that of the nearest conduct.json, else the top of the working tree, else `cwd`. */
export function rootOf(cwd: string): string {
  const file = projectFileAbove(cwd)
  return file === undefined ? (topOf(cwd) ?? resolve(cwd)) : dirname(file)
}

/** All edits of files; none is made yet. Throws an Error that names a file that cannot be changed. */
export function planOf(wanted: InitPlan): FileEdit[] {
  const { root, whole } = wanted
  const edits = agentEdits(wanted)
  const all = [...(whole ? [projectEdit(wanted)] : []), ...blockEdits(wanted, recordedBy(root, edits)), ...edits]
  const changes = all.filter(isChange)
  refuseOutside(root, changes)
  return changes
}

/** The edits of the agents' own files. Some agents keep hooks and MCP servers in one file. */
function agentEdits({ root, agents, hooks, remove }: InitPlan): FileEdit[] {
  const changes = agents.flatMap((install): [path: string, change: TextEdit][] => [
    ...(hooks ? [[install.hooks.path, hooksChange(install, remove, true)] satisfies [string, TextEdit]] : []),
    ...install.servers.map((file): [string, TextEdit] => [
      nameOf(file, root),
      (text) => withServer(text, file, !remove),
    ]),
  ])
  const byPath = Map.groupBy(changes, ([path]) => path)
  return [...byPath].map(([path, all]) =>
    editOf(join(root, path), (text) => all.reduce((changed, [, change]) => change(changed), text)),
  )
}

const nameOf = ({ path, orElse }: ServerFile, root: string) =>
  orElse !== undefined && existsSync(join(root, orElse)) ? orElse : path

function hooksChange({ name, hooks }: Install, remove: boolean, isShared: boolean): TextEdit {
  if ('text' in hooks) return (text) => withPlugin(text, hooks, !remove)
  const line = remove ? undefined : hookLine(name, hooks, isShared)
  return (text) => withHooks(text, name, hooks, line)
}

/**
 * The hooks in the user's own settings, which apply to every project with a conduct.json. The user may have made these
 * files links.
 */
export const userPlanOf = (home: string, agents: readonly Install[], remove: boolean): FileEdit[] =>
  agents
    .map((install) => editOf(join(home, install.hooks.homePath), hooksChange(install, remove, false)))
    .filter(isChange)

/** The files below a project or the user's home that have entries of Conduct which init would now write differently. */
export function outdatedFiles(folder: string, pathOf: 'path' | 'homePath'): string[] {
  const entries = installs.flatMap((install): [path: string, has: (text: string) => boolean, change: TextEdit][] => [
    [
      install.hooks[pathOf],
      (text) => hasHooks(text, install.name, install.hooks),
      hooksChange(install, false, pathOf === 'path'),
    ],
    ...(pathOf === 'path' ? install.servers : []).map((file): [string, (text: string) => boolean, TextEdit] => [
      nameOf(file, folder),
      (text) => hasServer(text, file),
      (text) => withServer(text, file, true),
    ]),
  ])
  const outdated = entries.flatMap(([name, has, change]) => {
    const path = join(folder, name)
    try {
      const text = readText(path)
      return text !== undefined && has(text) && change(text) !== text ? [path] : []
    } catch {
      // If we cannot parse it, neither can the agent.
      return []
    }
  })
  return [...new Set(outdated)]
}

/** The agents that have hooks in the project after these edits. */
function recordedBy(root: string, edits: FileEdit[]): Install[] {
  return installs.filter(({ name, hooks }) => {
    const path = join(root, hooks.path)
    const { after } = edits.find((edit) => edit.path === path) ?? editOf(path, (text) => text)
    return hasHooks(after, name, hooks)
  })
}

/** The name of the project and, if there are no rules yet, those of its checks. */
function projectEdit({ root, project, checks, remove }: InitPlan): FileEdit {
  return editOf(join(root, projectFile), (text) => {
    const { project: present, ...others }: JsonFields = text === undefined ? {} : fieldsOf(jsonIn(text))
    if (remove) return isOurs(root, others) ? undefined : text
    const isNew = others.checks === undefined && Object.keys(checks).length > 0
    const required = others.required ?? proposedRequired(checks)
    if (present === project && !isNew) return text
    return `${JSON.stringify({ project, ...others, ...(isNew && { checks, required }) }, null, 2)}\n`
  })
}

/** Whether conduct.json contains only the project and the checks that init proposes. */
function isOurs(root: string, { checks = {}, required, ...others }: JsonFields): boolean {
  const proposed = proposedChecks(root)
  const isEither = (value: unknown, own: unknown[]) => own.some((one) => isDeepStrictEqual(one, value))
  return (
    Object.keys(others).length === 0 &&
    isEither(checks, [{}, proposed]) &&
    isEither(required, [undefined, proposedRequired(proposed)])
  )
}

/** Edits AGENTS.md, and the files of agents that do not read it unless those files include it. */
function blockEdits({ root, project, agents, remove, whole }: InitPlan, recorded: Install[]): FileEdit[] {
  const titles = recorded.map(({ title }) => title)
  const block = remove && whole ? undefined : agentsBlock(project, titles)
  const first = join(root, 'AGENTS.md')
  const edit = (path: string, isNew: boolean) =>
    editOf(path, (text) => {
      const hasBlock = text?.includes('conduct:begin')
      if (!hasBlock && (remove || (text === undefined && !isNew))) return text
      return !hasBlock && path !== first && /^@(?:\.\/)?AGENTS\.md\b/m.test(text ?? '') ? text : withBlock(text, block)
    })
  const others = { 'CLAUDE.md': false, 'GEMINI.md': agents.some(({ name }) => name === 'gemini') }
  const paths = Object.entries(others).filter(([name]) => !isSame(first, join(root, name)))
  return [edit(first, true), ...paths.map(([name, isNew]) => edit(join(root, name), isNew && !remove))]
}

const isSame = (first: string, second: string) =>
  existsSync(first) && existsSync(second) && realpathSync(first) === realpathSync(second)

/**
 * What a hook of an agent runs. A project is shared, so its hooks run in the POSIX shell that an agent starts, on Windows
 * Git Bash, and have a line for Windows where the agent reads one. A file of one user has the line of that system alone.
 */
export function hookLine(name: string, { drains }: HookFile, isShared: boolean, system: System = here): HookLine {
  const windows = windowsLine(name, drains)
  return { command: isShared || system === 'posix' ? posixLine(name, drains) : windows, windows }
}

/**
 * The launcher that Conduct keeps, which the PATH of a login shell or of a project with its own Node.js may lack, or else
 * the program on the PATH. Without Conduct it does nothing. `cat` drains the document, so that the agent's write does not
 * fail.
 */
const posixLine = (name: string, drains: boolean) =>
  `PATH="\${XDG_DATA_HOME:-$HOME/.local/share}/conduct/bin:$PATH"; command -v conduct-ledger >/dev/null 2>&1 && conduct-ledger hook ${name} || ${drains ? 'cat >/dev/null' : 'true'}`

/**
 * Agents start different shells on Windows, and change them. This line means the same in all: between its quotes is
 * nothing that cmd.exe, PowerShell or Bash would read. It names the batch file that npm writes, because PowerShell prefers
 * the `.ps1` file, which its policy may forbid. The program reads the document itself, since a pipe of PowerShell changes
 * characters; what it leaves, the next command drains.
 */
const windowsLine = (name: string, drains: boolean) =>
  `powershell -NoProfile -NonInteractive -Command "conduct-ledger.cmd hook ${name}; ${drains ? '[Console]::In.ReadToEnd() | Out-Null; ' : ''}exit 0"`
