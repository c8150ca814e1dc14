import { accessSync, constants, existsSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { type Install, installs } from '../../agents/install.ts'
import { version } from '../../version.ts'
import type { Env } from '../place/folders.ts'
import { git } from '../place/git.ts'
import { projectFile } from '../place/project.ts'
import { type Edit, editOf, isChange, readText, refuseOutside } from './edit.ts'
import { withBlock, withHooks, withServer } from './entry.ts'

/** What `conduct init` is to do. */
export interface Wanted {
  root: string
  project: string
  agents: readonly Install[]
  hooks: boolean
  /** Takes out what an earlier init wrote, in place of writing. */
  remove: boolean
  /** Whether the project is entered, or left, as a whole, and not for some agents only. */
  whole: boolean
}

/** How a teammate makes the hooks work. */
export const installCommand = `npm install --global conduct-ledger@${version}`

/** Where the program is missing, the hook does nothing and harms nobody. */
const commandOf = ({ name, hooks }: Install) =>
  `command -v conduct >/dev/null 2>&1 && conduct hook ${name} || ${hooks.otherwise}`

/** The folder that is entered: that of the nearest conduct.json, else the top of the working tree, else `cwd`. */
export function rootOf(cwd: string): string {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    if (existsSync(join(folder, projectFile))) return folder
    if (folder === dirname(folder)) return git(cwd, 'rev-parse', '--show-toplevel') ?? resolve(cwd)
  }
}

/** The agents that this project or this user has. */
export function presentAgents(root: string, env: Env): Install[] {
  const home = env.HOME || homedir()
  return installs.filter(
    ({ folder, program }) => existsSync(join(root, folder)) || existsSync(join(home, folder)) || isOnPath(program, env),
  )
}

export function isOnPath(program: string, env: Env): boolean {
  return (env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return folder !== ''
    } catch {
      return false
    }
  })
}

/** All changes of files, none of them made. Throws an Error that names a file which cannot be changed. */
export function planOf(wanted: Wanted): Edit[] {
  const { root, agents, hooks, remove, whole } = wanted
  const edits = agents.flatMap((install) => {
    const command = remove ? undefined : commandOf(install)
    const edit = (path: string, change: (text: string | undefined) => string | undefined) =>
      editOf(join(root, path), change)
    return [
      ...(hooks ? [edit(install.hooks.path, (text) => withHooks(text, install, command))] : []),
      edit(install.mcp.path, (text) => withServer(text, install, remove ? undefined : version)),
    ]
  })
  const changes = [...(whole ? [projectEdit(wanted), ...blockEdits(wanted)] : []), ...edits].filter(isChange)
  refuseOutside(root, changes)
  return changes
}

function projectEdit({ root, project, remove }: Wanted): Edit {
  return editOf(join(root, projectFile), (text) => {
    if (text === undefined) return remove ? undefined : `${JSON.stringify({ project }, null, 2)}\n`
    const { project: present, ...others } = JSON.parse(text)
    if (remove) return Object.keys(others).length === 0 ? undefined : text
    return present === project ? text : `${JSON.stringify({ project, ...others }, null, 2)}\n`
  })
}

/** AGENTS.md, and CLAUDE.md where there is one that does not take AGENTS.md in. */
function blockEdits({ root, project, hooks, remove }: Wanted): Edit[] {
  const block = remove ? undefined : blockOf(project, hooks)
  const [first, second] = [join(root, 'AGENTS.md'), join(root, 'CLAUDE.md')]
  const edits = [editOf(first, (text) => withBlock(text, block))]
  const text = readText(second)
  const isSame = text !== undefined && existsSync(first) && realpathSync(first) === realpathSync(second)
  const hasBlock = text?.includes('conduct:begin')
  if (text === undefined || isSame || (!hasBlock && /^@AGENTS\.md\b/m.test(text))) return edits
  return [...edits, editOf(second, (before) => withBlock(before, block))]
}

const blockOf = (project: string, hooks: boolean) => `## Conduct

What coding agents do here is kept in a ledger, Conduct, as the project \`${project}\`.

${hooks ? '- Your session records itself by hooks: prompts, tools, commands, files. Do nothing for it.\n' : ''}\
- Before you begin, look what was done: the MCP server \`conduct\`, or \`conduct run list\` and \`conduct search <words>\`.
- Run what shows that your work holds under \`conduct exec\`, so that it is recorded: \`conduct exec -- npm test\`.`
