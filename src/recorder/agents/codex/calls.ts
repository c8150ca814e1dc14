import { type Fields, fieldsOf, textOf } from '../fields.ts'
import { type Reading, shellIn, type Told, tool } from './use.ts'

/** A tool call and its output, in the format without items. */
export function called(reading: Reading, item: Fields): Told[] {
  const { type, call_id, name, namespace, arguments: given, input, action, output } = item
  const id = textOf(call_id, 200)
  if (id === undefined) return []
  if (type === 'function_call' || type === 'custom_tool_call' || type === 'local_shell_call') {
    // Work that is also reported as an item is read from the item.
    if (reading.hasItems && namespace !== 'collaboration' && name !== 'update_plan') return []
    reading.said = undefined
    reading.open.set(id, callOf(String(name ?? 'shell'), given ?? input ?? action))
    return []
  }
  const begun = reading.open.get(id)
  if (!begun || !String(type).endsWith('_output')) return []
  reading.open.delete(id)
  const { exit_code } = fieldsOf(fieldsOf(json(output)).metadata)
  const told = exit_code ?? /(?:exited with code|Exit code:) (\d{1,3})/.exec(String(output))?.[1]
  const code = told === undefined ? undefined : Number(told)
  const isPatch = begun.name === 'apply_patch'
  const failed = isPatch && code !== undefined && code !== 0
  return tool(reading, begun.name, begun.input, { id, response: { exit_code: code }, failed })
}

const shells = ['shell', 'shell_command', 'local_shell', 'exec_command', 'container.exec']

function callOf(name: string, given: unknown) {
  const input = fieldsOf(json(given))
  if (shells.includes(name)) {
    const { command, cmd } = input
    const text = shellIn(command ?? cmd)
    const patch = /^apply_patch\b/.test(String(text)) || (Array.isArray(command) && command[0] === 'apply_patch')
    return patch
      ? { name: 'apply_patch', input: { command: [command].flat().join('\n') } }
      : { name: 'Bash', input: { command: text } }
  }
  return { name, input: name === 'apply_patch' ? { command: typeof given === 'string' ? given : input.input } : input }
}

function json(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}
