/**
 * The kinds of tools that Conduct knows. Tools of MCP servers are never among them, whatever their fields are called.
 */
export type ToolKind = 'shell' | 'edit' | 'patch' | 'plan' | 'question' | 'other'

const names: Record<ToolKind, string[]> = {
  shell: [
    'Bash',
    'bash',
    'PowerShell',
    'powershell',
    'Shell',
    'shell',
    'run_shell_command',
    'run_in_terminal',
    'Execute',
  ],
  edit: [
    ...['Edit', 'MultiEdit', 'Write', 'NotebookEdit', 'StrReplace', 'Create'],
    ...['edit', 'write', 'create', 'replace', 'write_file', 'create_file', 'replace_string_in_file'],
    ...['insert_edit_into_file', 'edit_notebook_file'],
  ],
  patch: ['apply_patch', 'ApplyPatch'],
  question: [
    ...['AskUserQuestion', 'ExitPlanMode', 'AskQuestion', 'ask_user', 'ask_user_question', 'exit_plan_mode'],
    ...['request_user_input', 'question'],
  ],
  plan: ['TodoWrite', 'todowrite', 'todo_write', 'write_todos', 'update_plan'],
  // They write no file themselves. What a subagent or a background command writes has reports of its own.
  other: [
    ...['Read', 'read', 'read_file', 'ReadFile', 'read_many_files', 'view', 'view_image', 'NotebookRead', 'LSP', 'lsp'],
    ...['Grep', 'grep', 'Glob', 'glob', 'LS', 'ls', 'list', 'List', 'list_directory'],
    ...['search_file_content', 'grep_search', 'ToolSearch'],
    ...['WebFetch', 'webfetch', 'web_fetch', 'FetchUrl', 'WebSearch', 'websearch', 'web_search', 'google_web_search'],
    ...['Task', 'task', 'Agent', 'agent', 'spawn_agent', 'wait_agent', 'close_agent', 'send_input', 'Skill', 'skill'],
    ...['TaskCreate', 'TaskUpdate', 'TaskList', 'TaskGet', 'TaskOutput', 'TaskStop', 'TodoRead', 'todoread'],
    ...['BashOutput', 'KillShell', 'EnterPlanMode', 'enter_plan_mode'],
    ...['ListMcpResourcesTool', 'ReadMcpResourceTool', 'list_mcp_resources', 'read_mcp_resource'],
  ],
}

const kinds = new Map(Object.entries(names).flatMap(([kind, list]) => list.map((name) => [name, kind as ToolKind])))

/** The kind of a tool; undefined for one that Conduct does not know, such as one of an MCP server. */
export const kindOf = (tool: string): ToolKind | undefined => kinds.get(tool)

/** Whether the use of a tool may change files that nobody names: an unknown tool may, unless it is one of Conduct's own. */
export const isUnknown = (tool: string): boolean => !kinds.has(tool) && !/(?:^|_)conduct[_-]/.test(tool)
