import type { JsonFields } from './fields.ts'
import { openCodePlugin } from './opencode/plugin.ts'

/** How `conduct init` adds Conduct to a project for an agent. */
export interface Install {
  /** The agent's name in commands: `conduct hook claude`. */
  name: string
  title: string
  /** Evidence that the agent is in use: paths in a project and in a home folder, and its program. */
  signs: { project: readonly string[]; home: readonly string[]; program: string }
  hooks: HookFile | PluginFile
  servers: readonly ServerFile[]
  /** What the user must still do before the hooks run. */
  trust: string
  /** The same for hooks in the user's own settings, if that is something else. */
  userTrust?: string
}

export interface HookFile {
  path: string
  /** Below the user's home folder: hooks for every project. */
  homePath: string
  events: readonly string[]
  /** The entry that runs a line on an event. */
  entry(line: HookLine, event: string): JsonFields
  /** Whether something reads the document if Conduct is missing. */
  drains: boolean
  /** Other required content of the file. */
  also?: JsonFields
  /** Other content of a new file. */
  fresh?: JsonFields
}

/** What a hook runs, for each shell that an agent may give it to. */
export interface HookLine {
  /** For agents that read one line. */
  command: string
  /** For any shell of Windows. */
  windows: string
}

/** A file that belongs to Conduct: a plugin that the agent loads and that runs `conduct hook`. */
export interface PluginFile {
  path: string
  homePath: string
  text: string
}

/** A file of MCP servers, and the entry for `conduct mcp`. */
export interface ServerFile {
  path: string
  /** Its alternative name, used if that file exists. */
  orElse?: string
  format: 'json' | 'toml'
  table: string
  entry: JsonFields
  /** Other content of a new file. */
  fresh?: JsonFields
}

/** Seconds after which an agent stops waiting for a hook. Hooks that snapshot the working tree need up to two. */
const timeout = 30

const program: JsonFields = { command: 'conduct-ledger', args: ['mcp'] }

/** The format that Claude Code introduced. `more` adds fields to the command. */
const nested =
  (more: (event: string, line: HookLine) => JsonFields) =>
  (line: HookLine, event: string): JsonFields => ({
    hooks: [{ type: 'command', command: line.command, ...more(event, line) }],
  })

/**
 * Claude Code's events that only show activity: their order does not matter, so no session waits for them. PreToolUse
 * is not among them, because its hook takes the tree before the command changes it.
 */
const background = ['PermissionRequest', 'Notification', 'PreCompact']

const claude: Install = {
  name: 'claude',
  title: 'Claude Code',
  signs: { project: ['.claude'], home: ['.claude'], program: 'claude' },
  hooks: {
    path: '.claude/settings.json',
    homePath: '.claude/settings.json',
    // Without WorktreeCreate: its hook would have to create the worktree in Claude Code's place.
    events: [
      ...['SessionStart', 'UserPromptSubmit', 'PreToolUse', 'PermissionRequest', 'Notification', 'PostToolUse'],
      ...['PostToolUseFailure', 'PostToolBatch', 'SubagentStop', 'PreCompact', 'Stop', 'StopFailure', 'SessionEnd'],
    ],
    drains: true,
    entry: nested((event) => ({ timeout, ...(background.includes(event) && { async: true }) })),
  },
  servers: [{ path: '.mcp.json', format: 'json', table: 'mcpServers', entry: program }],
  trust:
    'Claude Code asks whether you trust the folder, and whether you allow the MCP server of .mcp.json: say yes. To record sessions that you start in a subfolder, too: conduct init --user --agents claude',
  userTrust: 'Claude Code asks whether you trust a folder: say yes.',
}

const codex: Install = {
  name: 'codex',
  title: 'Codex',
  signs: { project: ['.codex'], home: ['.codex'], program: 'codex' },
  hooks: {
    path: '.codex/hooks.json',
    homePath: '.codex/hooks.json',
    events: [
      ...['SessionStart', 'UserPromptSubmit', 'PreToolUse', 'PermissionRequest', 'PostToolUse'],
      ...['SubagentStop', 'PreCompact', 'Interrupt', 'Stop', 'SessionEnd'],
    ],
    drains: true,
    // Codex allows these two no more than this, and warns at each start.
    entry: nested((event, { windows }) => ({
      commandWindows: windows,
      timeout: ['Interrupt', 'SessionEnd'].includes(event) ? 3 : timeout,
    })),
  },
  servers: [{ path: '.codex/config.toml', format: 'toml', table: 'mcp_servers', entry: program }],
  trust: 'Codex runs hooks only after you trust the project and each hook: start codex and review them in /hooks.',
}

const cursor: Install = {
  name: 'cursor',
  title: 'Cursor',
  signs: { project: ['.cursor'], home: ['.cursor'], program: 'cursor' },
  hooks: {
    path: '.cursor/hooks.json',
    homePath: '.cursor/hooks.json',
    events: [
      ...['sessionStart', 'beforeSubmitPrompt', 'preToolUse', 'postToolUse', 'postToolUseFailure', 'afterFileEdit'],
      ...['subagentStop', 'preCompact', 'stop', 'sessionEnd'],
    ],
    // It sometimes leaves the pipe open, so a reader would hang.
    drains: false,
    entry: ({ command }) => ({ command, timeout }),
    also: { version: 1 },
  },
  servers: [{ path: '.cursor/mcp.json', format: 'json', table: 'mcpServers', entry: program }],
  trust:
    'Cursor runs the hooks of a workspace that you trust; its settings show them, and let you enable the MCP server.',
  userTrust: 'Cursor runs hooks in a workspace that you trust; its settings show them.',
}

const copilot: Install = {
  name: 'copilot',
  title: 'GitHub Copilot',
  signs: {
    project: ['.github/copilot', '.github/copilot-instructions.md', '.github/hooks'],
    home: ['.copilot', '.config/github-copilot'],
    program: 'copilot',
  },
  hooks: {
    path: '.github/hooks/conduct.json',
    homePath: '.copilot/hooks/conduct.json',
    // VS Code uses Claude Code's names; the command line accepts both, except for its own `notification`. Without
    // permissionRequest, which also fires if nobody is asked.
    events: [
      ...['SessionStart', 'UserPromptSubmit', 'PreToolUse', 'PostToolUse', 'PostToolUseFailure', 'SubagentStop'],
      ...['PreCompact', 'notification', 'Stop', 'SessionEnd'],
    ],
    drains: true,
    // Not `command`: a Windows shell would run it, fail, and thereby refuse every tool. VS Code may give `powershell` to
    // cmd.exe.
    entry: ({ command, windows }) => ({ type: 'command', bash: command, powershell: windows, timeoutSec: timeout }),
    also: { version: 1 },
  },
  servers: [
    {
      path: '.github/mcp.json',
      format: 'json',
      table: 'mcpServers',
      entry: { type: 'local', ...program, tools: ['*'] },
    },
    { path: '.vscode/mcp.json', format: 'json', table: 'servers', entry: { type: 'stdio', ...program } },
  ],
  trust: 'GitHub Copilot runs the hooks of a folder that you trust, in its command line and in VS Code.',
}

const gemini: Install = {
  name: 'gemini',
  title: 'Gemini CLI',
  signs: { project: ['.gemini', 'GEMINI.md'], home: ['.gemini'], program: 'gemini' },
  hooks: {
    path: '.gemini/settings.json',
    homePath: '.gemini/settings.json',
    // Without PreCompress, BeforeModel and AfterModel, which fire at each call of the model.
    events: [...['SessionStart', 'BeforeAgent', 'BeforeTool', 'AfterTool', 'Notification', 'AfterAgent', 'SessionEnd']],
    drains: true,
    // In milliseconds.
    entry: nested(() => ({ timeout: timeout * 1_000 })),
  },
  servers: [{ path: '.gemini/settings.json', format: 'json', table: 'mcpServers', entry: program }],
  trust: 'Gemini CLI runs the hooks of a folder that you trust; /hooks shows them.',
}

/**
 * The version of the form that Qwen Code's settings have. Without it, Qwen Code adds it when it starts, as a change that nobody
 * made. It takes a file of an earlier form with this version for one of this form, so only a new file gets it.
 */
const fresh: JsonFields = { $version: 4 }

const qwen: Install = {
  name: 'qwen',
  title: 'Qwen Code',
  signs: { project: ['.qwen'], home: ['.qwen'], program: 'qwen' },
  hooks: {
    path: '.qwen/settings.json',
    homePath: '.qwen/settings.json',
    events: [
      ...['SessionStart', 'UserPromptSubmit', 'PreToolUse', 'PermissionRequest', 'Notification', 'PostToolUse'],
      ...['PostToolUseFailure', 'SubagentStop', 'PreCompact', 'Stop', 'StopFailure', 'SessionEnd'],
    ],
    drains: true,
    // Its timeout is in milliseconds or seconds, depending on the version. The default is a minute.
    entry: nested(() => ({})),
    fresh,
  },
  servers: [{ path: '.qwen/settings.json', format: 'json', table: 'mcpServers', entry: program, fresh }],
  trust: 'Qwen Code runs the hooks of a folder that you trust; /hooks shows them.',
}

const droid: Install = {
  name: 'droid',
  title: 'Factory Droid',
  signs: { project: ['.factory'], home: ['.factory'], program: 'droid' },
  hooks: {
    // Not .factory/hooks.json: some versions that document it do not read it.
    path: '.factory/settings.json',
    homePath: '.factory/settings.json',
    events: [
      ...['SessionStart', 'UserPromptSubmit', 'PreToolUse', 'Notification', 'PostToolUse'],
      ...['SubagentStop', 'PreCompact', 'Stop', 'SessionEnd'],
    ],
    drains: true,
    entry: nested(() => ({ timeout })),
  },
  servers: [{ path: '.factory/mcp.json', format: 'json', table: 'mcpServers', entry: { type: 'stdio', ...program } }],
  trust: 'Factory Droid asks you to review changed hooks: start droid and look at /hooks.',
}

const opencode: Install = {
  name: 'opencode',
  title: 'OpenCode',
  signs: {
    project: ['.opencode', 'opencode.json', 'opencode.jsonc'],
    home: ['.config/opencode', '.local/share/opencode'],
    program: 'opencode',
  },
  hooks: {
    path: '.opencode/plugins/conduct.js',
    homePath: '.config/opencode/plugins/conduct.js',
    text: openCodePlugin,
  },
  servers: [
    {
      path: 'opencode.json',
      orElse: 'opencode.jsonc',
      format: 'json',
      table: 'mcp',
      entry: { type: 'local', command: ['conduct-ledger', 'mcp'], enabled: true },
      // Without it, OpenCode adds it when it starts, as a change that nobody made.
      fresh: { $schema: 'https://opencode.ai/config.json' },
    },
  ],
  trust:
    'OpenCode loads the plugin when it starts, without asking. Its first start here installs its plugin library, 64 MB, into .opencode, which may take two minutes; conduct init --user --agents opencode needs that once for all projects.',
  userTrust:
    'OpenCode loads the plugin when it starts, without asking. Its first start installs its plugin library, 64 MB, into ~/.config/opencode, which may take two minutes.',
}

/** The agents that `conduct init` can set up. */
export const installs: readonly Install[] = [claude, codex, cursor, copilot, opencode, gemini, qwen, droid]
