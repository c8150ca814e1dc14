import type { JsonFields } from '../../../src/recorder/agents/fields.ts'
import type { Act } from './script.ts'
import type { Tool } from './tools.ts'

/** A tool call: what the model wants, the tool, and its input. */
export interface Call {
  act: Act
  tool: Tool
  input: string | JsonFields
}

/** The names that agents use for each kind of tool. */
const toolNames: Record<Exclude<Act['do'], 'ledger'>, readonly string[]> = {
  write: ['Write', 'Create', 'write', 'write_file', 'create', 'apply_patch'],
  edit: ['Edit', 'edit', 'replace', 'apply_patch'],
  read: ['Read', 'read', 'read_file', 'view'],
  shell: ['Bash', 'bash', 'exec_command', 'run_shell_command', 'Execute'],
  plan: ['TodoWrite', 'TaskCreate', 'todowrite', 'todo_write', 'write_todos', 'update_todo', 'update_plan'],
  delegate: ['Agent', 'spawn_agent', 'task', 'agent', 'invoke_agent', 'Task'],
  await: ['wait_agent'],
  finish: ['complete_task'],
}

/** Whether the agent offers tools for work, not only for a title or a summary. */
export const canWork = (tools: Tool[]) => tools.some(({ name }) => toolNames.shell.includes(name))

/** The names that agents use for the properties of tools. */
const propertyNames: Record<string, readonly string[]> = {
  path: ['file_path', 'filePath', 'path', 'absolute_path'],
  content: ['content', 'file_text'],
  from: ['old_string', 'oldString', 'old_str'],
  to: ['new_string', 'newString', 'new_str'],
  command: ['command', 'cmd'],
  task: ['prompt', 'message'],
  result: ['result'],
  about: ['description', 'task_name', 'subject', 'instruction', 'intent'],
}

/** The call that performs an act with these tools, or undefined if none of them can. */
export function callOf(act: Act, tools: Tool[]): Call | undefined {
  const tool = act.do === 'ledger' ? ledgerTool(act.tool, tools) : toolFor(act, tools)
  if (tool) return { act, tool, input: act.do === 'ledger' ? act.input : inputOf(act, tool) }
  // Without a tool for reading, agents read with a command.
  return act.do === 'read' ? callOf({ do: 'shell', command: `cat ${act.path}` }, tools) : undefined
}

function toolFor(act: Exclude<Act, { do: 'ledger' }>, tools: Tool[]): Tool | undefined {
  const names = toolNames[act.do]
  return names.map((name) => tools.find((tool) => tool.name === name)).find((tool) => tool !== undefined)
}

function ledgerTool(name: string, tools: Tool[]): Tool | undefined {
  const names = ['mcp__conduct__', 'conduct_', 'mcp_conduct_', 'conduct-'].map((prefix) => prefix + name)
  const found = tools.find(
    (tool) => names.includes(tool.name) || (tool.namespace?.includes('conduct') && tool.name === name),
  )
  if (found) return found
  // Codex lists the tools of MCP servers only for a model that searches for them, but also runs unlisted ones.
  const inside = tools.find((tool) => tool.inside)?.inside
  return inside && { name: `mcp__conduct__${name}`, properties: {}, required: [], inside }
}

function inputOf(act: Exclude<Act, { do: 'ledger' }>, tool: Tool): string | JsonFields {
  if (tool.name === 'apply_patch') return tool.isFreeform ? patchOf(act) : { input: patchOf(act) }
  const { do: _, ...values } = { about: 'Scripted', ...act }
  const input: JsonFields = act.do === 'plan' ? planInput(act.items, tool) : {}
  for (const [field, value] of Object.entries(values)) {
    const name = propertyNames[field]?.find((one) => one in tool.properties)
    if (name !== undefined) input[name] = value
  }
  if (act.do === 'delegate') Object.assign(input, helperIn(tool))
  if (act.do === 'finish' && tool.properties.result?.type === 'object') input.result = { response: act.result }
  // Codex continues without waiting for a command that takes longer.
  if (act.do === 'shell' && 'yield_time_ms' in tool.properties) input.yield_time_ms = 60_000
  if (act.do === 'shell')
    for (const [name, value] of Object.entries(act.input ?? {})) if (name in tool.properties) input[name] = value
  if (act.do === 'await') Object.assign(input, 'timeout_ms' in tool.properties && { timeout_ms: 30_000 })
  for (const name of tool.required) input[name] ??= anyOf(tool.properties[name])
  return input
}

/** The subagent that the agent is to start. */
function helperIn({ name: tool, properties }: Tool): JsonFields {
  const [kind, name] = [properties.subagent_type, properties.agent_name]
  const first = (schema: JsonFields | undefined, otherwise: string) =>
    Array.isArray(schema?.enum) ? schema.enum[0] : otherwise
  return {
    ...(kind && {
      subagent_type: first(kind, kindOf(tool, properties)),
    }),
    ...(name && { agent_name: first(name, 'generalist') }),
    ...(properties.task_name && { task_name: 'scripted_helper' }),
    ...(properties.name && { name: 'scripted-helper' }),
  }
}

/** The kind of subagent that the agent has, if its tool does not list them. */
function kindOf(tool: string, properties: Tool['properties']): string {
  if (tool === 'Task') return 'worker'
  return 'filePath' in properties || 'command' in properties ? 'general' : 'general-purpose'
}

/** The plan as the tool takes it: a list of items, a checklist in a text, or one item. */
function planInput(items: string[], { properties }: Tool): JsonFields {
  const name = ['todos', 'plan'].find((one) => one in properties)
  if (name === undefined) return { subject: items[0], description: items[0] }
  if (properties[name]?.type !== 'array') return { [name]: items.map((item) => `- [ ] ${item}`).join('\n') }
  const known = propertiesOfItems(properties[name])
  const itemOf = (text: string, index: number) => {
    const all: JsonFields = { content: text, description: text, step: text, activeForm: text, priority: 'medium' }
    const item: JsonFields = { ...all, id: String(index + 1), status: index === 0 ? 'in_progress' : 'pending' }
    return Object.fromEntries(Object.entries(item).filter(([field]) => known.includes(field)))
  }
  return { [name]: items.map(itemOf) }
}

function propertiesOfItems(schema: JsonFields): string[] {
  const { items } = schema as { items?: { properties?: object } }
  return Object.keys(items?.properties ?? {})
}

/** A value for a required property that the script does not give. */
function anyOf(schema: JsonFields = {}): unknown {
  if (Array.isArray(schema.enum)) return schema.enum[0]
  const values: Record<string, unknown> = { boolean: false, number: 1, integer: 1, array: [], object: {} }
  return values[String(schema.type)] ?? 'scripted'
}

function patchOf(act: Act): string {
  const lines = (sign: string, text: string) =>
    text
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => sign + line)
  const change =
    act.do === 'write'
      ? [`*** Add File: ${act.path}`, ...lines('+', act.content)]
      : act.do === 'edit'
        ? [`*** Update File: ${act.path}`, '@@', ...lines('-', act.from), ...lines('+', act.to)]
        : []
  return ['*** Begin Patch', ...change, '*** End Patch'].join('\n')
}

/** What the model sends for a call: the call itself, or the line of JavaScript that makes it. */
export function sentFor({ act, tool, input }: Call): { tool: Tool; input: string | JsonFields } {
  if (!tool.inside) return { tool, input }
  const ask = 'done = await tools.write_stdin({ session_id: done.session_id, chars: "", yield_time_ms: 1000 })'
  return {
    tool: tool.inside,
    input: [
      `let done = await tools.${tool.name}(${JSON.stringify(input)});`,
      ...(act.do === 'shell' && act.asks ? [`while (done.session_id !== undefined) ${ask};`] : []),
      'text(JSON.stringify(done))',
    ].join(' '),
  }
}
