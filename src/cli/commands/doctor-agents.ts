import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { heardAgents, missedHook, missedWords, titleOf } from '../../capture/hook/heard.ts'
import { type Env, homeOf } from '../../place/folders.ts'
import { conductOnPath } from '../../place/program.ts'
import { type Install, installs } from '../../recorder/agents/install.ts'
import { findProgram } from '../../system/programs.ts'
import { readText } from '../init/edit.ts'
import { hasHooks } from '../init/entry.ts'
import { outdatedFiles, rootOf } from '../init/project-files.ts'
import { shown } from '../show/print.ts'
import { type Finding, found } from './doctor-folder.ts'

/** The hooks of this project and of this user, and when each agent last called one, if the state can be read. */
export function agentFindings(env: Env, cwd: string, hasState: boolean): Finding[] {
  const root = rootOf(cwd)
  const home = homeOf(env)
  const inProject = installs.filter(({ name, hooks }) => isEntered(join(root, hooks.path), name, hooks))
  const ofUser = installs.filter(({ name, hooks }) => isEntered(join(home, hooks.homePath), name, hooks))
  const files = [
    ...inProject.map(({ hooks }) => join(root, hooks.path)),
    ...ofUser.map(({ hooks }) => join(home, hooks.homePath)),
  ]
  const outdated = outdatedFindings(root, home)
  if (files.length === 0) {
    const words = 'none in this project or your home, where conduct init adds them; a plugin has its own'
    return [found('hooks', 'note', words), ...outdated, ...listening([], env, hasState)]
  }
  return [
    found('hooks', 'ok', [...new Set(files)].join(', ')),
    ...outdated,
    ...subfolder(inProject, ofUser, resolve(cwd) !== root),
    ...program(env),
    ...listening([...new Set([...inProject, ...ofUser])], env, hasState),
  ]
}

/** Whether that file runs our hooks for that agent. If we cannot parse it, neither can the agent. */
function isEntered(path: string, name: string, hooks: Install['hooks']): boolean {
  try {
    return hasHooks(readText(path), name, hooks)
  } catch {
    return false
  }
}

/** Entries that another version of Conduct wrote: hooks for fewer events, and MCP servers that start that version. */
function outdatedFindings(root: string, home: string): Finding[] {
  const say = (files: string[], command: string) =>
    files.length === 0
      ? []
      : [
          found(
            'entries',
            'warn',
            `different from what this Conduct writes, in ${files.join(', ')}; to update them: ${command}`,
          ),
        ]
  return [
    ...say(outdatedFiles(root, 'path'), 'conduct init'),
    ...say(outdatedFiles(home, 'homePath'), 'conduct init --user'),
  ]
}

/** Claude Code reads a project's hooks only if it is started in the folder that has them. */
function subfolder(inProject: Install[], ofUser: Install[], isBelow: boolean): Finding[] {
  const isMissing = (all: Install[]) => !all.some(({ name }) => name === 'claude')
  if (isMissing(inProject) || !isMissing(ofUser)) return []
  const where = isBelow
    ? 'Claude Code sessions started in this folder are not recorded'
    : 'Claude Code sessions started in a subfolder are not recorded'
  return [
    found(
      'hooks',
      isBelow ? 'warn' : 'note',
      `${where}; to record them everywhere: conduct init --user --agents claude`,
    ),
  ]
}

/** Whether hooks and MCP servers find this program, and which Node.js they find. */
function program(env: Env): Finding[] {
  const node = findProgram('node', env)
  const { stdout = '' } = node ? spawnSync(node, ['--version'], { encoding: 'utf8', timeout: 2_000, env }) : {}
  const other = stdout?.trim().slice(1) ?? ''
  return [
    ...startable(env),
    ...(other === '' || other === process.versions.node
      ? []
      : [found('program', 'note', `node on the PATH is ${other}, but Conduct runs on ${process.execPath}`)]),
  ]
}

/** Whether the command `conduct` starts this program. */
function startable(env: Env): Finding[] {
  const { path, other } = conductOnPath(env)
  if (path === undefined) {
    return [
      found(
        'program',
        'warn',
        'the PATH lacks conduct, so the MCP server cannot start, and hooks need the launcher that conduct init writes',
      ),
    ]
  }
  return other === undefined ? [] : [found('program', 'warn', other)]
}

/** When each agent last called a hook, and which calls failed. */
function listening(entered: Install[], env: Env, hasState: boolean): Finding[] {
  const heard = hasState ? heardAgents(env) : []
  const missed = missedHook(env, heard)
  const silent = hasState ? entered.filter(({ name }) => !heard.some(({ agent }) => agent === name)) : []
  return [
    ...heard.map(({ agent, at }) => found('heard', 'ok', `${titleOf(agent)}: ${shown(new Date(at).toISOString())}`)),
    ...silent.map(({ title, trust }) => found('heard', 'note', `${title}: never in the last 30 days. ${trust}`)),
    ...(missed ? [found('heard', 'warn', `${shown(new Date(missed.at).toISOString())} ${missedWords(missed)}`)] : []),
  ]
}
