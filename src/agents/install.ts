import type { Fields } from './agent.ts'

/** How `conduct init` enters Conduct into a project, for one agent. */
export interface Install {
  /** The agent's name in commands: `conduct hook claude`. */
  name: string
  title: string
  /** The folder of the agent in a project and in the user's home. */
  folder: string
  program: string
  hooks: {
    path: string
    events: readonly string[]
    /** The entry of one event that runs a command. */
    entry(command: string): Fields
    /** What runs where Conduct is missing: it reads the document, so that the agent can write it, or leaves it. */
    otherwise: 'cat >/dev/null' | 'true'
    /** What must also stand in the file. */
    also?: Fields
  }
  mcp: { path: string; format: 'json' | 'toml'; table: string }
  /** What its user must still do before the hooks run. */
  trust: string
}

const claude: Install = {
  name: 'claude',
  title: 'Claude Code',
  folder: '.claude',
  program: 'claude',
  hooks: {
    path: '.claude/settings.json',
    events: ['UserPromptSubmit', 'PostToolUse', 'PostToolUseFailure', 'Stop', 'StopFailure', 'SessionEnd'],
    otherwise: 'cat >/dev/null',
    entry: (command) => ({ hooks: [{ type: 'command', command }] }),
  },
  mcp: { path: '.mcp.json', format: 'json', table: 'mcpServers' },
  trust: 'Claude Code asks whether you trust the folder, and whether you allow the MCP server of .mcp.json: say yes.',
}

const codex: Install = {
  name: 'codex',
  title: 'Codex',
  folder: '.codex',
  program: 'codex',
  hooks: {
    path: '.codex/hooks.json',
    events: ['UserPromptSubmit', 'PostToolUse', 'Stop', 'Interrupt', 'SessionEnd'],
    otherwise: 'cat >/dev/null',
    entry: (command) => ({ hooks: [{ type: 'command', command }] }),
  },
  mcp: { path: '.codex/config.toml', format: 'toml', table: 'mcp_servers' },
  trust: 'Codex runs no hook before you trust the project and the hook: start codex and review them in /hooks.',
}

const cursor: Install = {
  name: 'cursor',
  title: 'Cursor',
  folder: '.cursor',
  program: 'cursor',
  hooks: {
    path: '.cursor/hooks.json',
    events: ['beforeSubmitPrompt', 'postToolUse', 'postToolUseFailure', 'afterFileEdit', 'stop', 'sessionEnd'],
    // It leaves the pipe open at times, and whoever reads it waits.
    otherwise: 'true',
    entry: (command) => ({ command }),
    also: { version: 1 },
  },
  mcp: { path: '.cursor/mcp.json', format: 'json', table: 'mcpServers' },
  trust: 'Cursor runs the hooks of a workspace that you trust; its settings show them, and switch the MCP server on.',
}

/** The agents that `conduct init` sets up. */
export const installs: readonly Install[] = [claude, codex, cursor]
