import { parse as parseToml, patch as patchToml } from '@decimalturn/toml-patch'
import {
  applyEdits,
  type JSONPath,
  modify,
  type ParseError,
  parse,
  printParseErrorCode,
  stripComments,
} from 'jsonc-parser'
import { objectOf } from '../../place/foreign.ts'
import { fieldsOf, type JsonFields } from '../../recorder/agents/fields.ts'
import type { HookFile, HookLine, PluginFile, ServerFile } from '../../recorder/agents/install.ts'

// Each function takes the text of a file (undefined if there is none) and returns it with Conduct's own entries, or
// without them. Everything else stays unchanged. Each throws an Error that says why it cannot change a text.

type Text = string | undefined

/** Whether an entry of a hooks file runs `conduct hook` for that agent. */
const runsHook = (name: string) => (entry: unknown) => {
  const { command, bash = command } = fieldsOf(entry)
  return new RegExp(`\\bconduct(?:-ledger(?:\\.cmd)?)? hook ${name}\\b`).test(String(bash))
}

/** All that an entry runs, to compare it. */
function runs(entry: unknown): string {
  const { command, commandWindows, bash, powershell } = fieldsOf(asList(fieldsOf(entry).hooks)[0] ?? entry)
  return JSON.stringify([command, commandWindows, bash, powershell])
}

/** The current plugin of an agent, or undefined if it is not wanted. A file of that name that is not ours stays. */
export function withPlugin(text: Text, plugin: PluginFile, isWanted: boolean): Text {
  const isOurs = text === undefined || hasPlugin(text, plugin)
  if (!isWanted) return isOurs ? undefined : text
  if (!isOurs) throw new Error('it is not the plugin of Conduct, which needs this name: move it first')
  return plugin.text
}

/** Whether the text is Conduct's plugin, in this or another version. */
const hasPlugin = (text: Text, plugin: PluginFile) => text?.split('\n')[0] === plugin.text.split('\n')[0]

/** The hooks file of an agent with `line` once per event; without our hooks if `line` is undefined. */
export function withHooks(text: Text, name: string, hooks: HookFile, line: HookLine | undefined): Text {
  const isOurs = runsHook(name)
  let json = text?.trim() ? text : newText(hooks)
  for (const [event, entries] of Object.entries(read(json, 'hooks'))) {
    // Beside its events, an agent may keep settings there: Gemini CLI has had "enabled".
    if (!Array.isArray(entries) && !hooks.events.includes(event)) continue
    const kept = line && hooks.events.includes(event) ? runs(hooks.entry(line, event)) : undefined
    json = withoutHook(json, ['hooks', event], isOurs, kept)
  }
  if (line === undefined) return withoutRest(text, json, { ...hooks.also, ...hooks.fresh })
  for (const [key, value] of Object.entries(hooks.also ?? {})) {
    if (fieldsOf(read(json))[key] === undefined) json = set(json, [key], value)
  }
  for (const event of hooks.events) {
    const entries = list(json, ['hooks', event])
    if (entries.some((entry) => isOurs(entry) || asList(fieldsOf(entry).hooks).some(isOurs))) continue
    json = set(json, ['hooks', event, entries.length], hooks.entry(line, event))
  }
  return json
}

/** Whether a file makes an agent run `conduct hook`. Throws an Error that says what is wrong with the text. */
export function hasHooks(text: Text, name: string, hooks: HookFile | PluginFile): boolean {
  if ('text' in hooks) return hasPlugin(text, hooks)
  if (!text?.trim()) return false
  const entries = Object.values(fieldsOf(read(text, 'hooks'))).flatMap(asList)
  return entries.flatMap((entry) => [entry, ...asList(fieldsOf(entry).hooks)]).some(runsHook(name))
}

/** Removes our entries of an event except those with `kept`, and any object that becomes empty. */
function withoutHook(text: string, path: JSONPath, isOurs: (entry: unknown) => boolean, kept?: string): string {
  const goes = (entry: unknown) => isOurs(entry) && runs(entry) !== kept
  let json = text
  const entries = list(json, path)
  for (let index = entries.length - 1; index >= 0; index--) {
    const inner = asList(fieldsOf(entries[index]).hooks)
    if (goes(entries[index]) || (inner.length > 0 && inner.every(goes))) {
      json = set(json, [...path, index], undefined)
      continue
    }
    for (let place = inner.length - 1; place >= 0; place--) {
      if (goes(inner[place])) json = set(json, [...path, index, 'hooks', place], undefined)
    }
  }
  const isEmptied = entries.length > 0 && list(json, path).length === 0
  return isEmptied ? set(json, path, undefined) : json
}

/** Drops a file that contained only our entries, and objects that are now empty. A comment is somebody's. */
function withoutRest(before: Text, json: string, also: JsonFields = {}): Text {
  if (before === undefined || json === before) return before
  let rest = json
  for (const key of ['hooks', 'mcpServers', 'servers', 'mcp']) {
    const value = read(rest)[key]
    if (value === undefined || Object.keys(fieldsOf(value)).length > 0) continue
    const without = set(rest, [key], undefined)
    if (commentsIn(without) === commentsIn(rest)) rest = without
  }
  const isOnlyOurs = Object.entries(read(rest)).every(([key, value]) => also[key] === value)
  return isOnlyOurs && commentsIn(rest) === 0 ? undefined : rest
}

/** How many characters of a text are comments. */
const commentsIn = (text: string): number => text.length - stripComments(text, '').length

/** Whether a server is ours: started by the program, or by npx as version 0.1 wrote it. */
function isOurServer(server: unknown): boolean {
  const { command, args } = fieldsOf(server)
  const words = [command, args].flat().map(String)
  return /(?:^|[/\\])conduct$/.test(words[0] ?? '')
    ? words[1] === 'mcp'
    : words.some((word) => /^conduct-ledger\b/.test(word))
}

/** Whether a file has our MCP server, of this or another version. Throws an Error that says what is wrong with the text. */
export function hasServer(text: Text, { format, table }: ServerFile): boolean {
  if (!text?.trim()) return false
  const servers = format === 'json' ? read(text, table) : fieldsOf(fieldsOf(parseToml(text))[table])
  return isOurServer(servers.conduct)
}

/** An agent's file with the MCP server `conduct`, or without it. Another server of that name stays. */
export function withServer(text: Text, file: ServerFile, isWanted: boolean): Text {
  const server = isWanted ? file.entry : undefined
  return file.format === 'json' ? jsonServer(text, file, server) : tomlServer(text, file.table, server)
}

function jsonServer(text: Text, { table, fresh }: ServerFile, server: JsonFields | undefined): Text {
  const json = text?.trim() ? text : newText({ fresh })
  const present = fieldsOf(read(json, table)).conduct
  if (present !== undefined && !isOurServer(present)) return text
  if (server) return JSON.stringify(present) === JSON.stringify(server) ? text : set(json, [table, 'conduct'], server)
  return present === undefined ? text : withoutRest(text, set(json, [table, 'conduct'], undefined), fresh)
}

const newText = ({ fresh = {} }: Pick<ServerFile, 'fresh'>) => `${JSON.stringify(fresh, null, 2)}\n`

function tomlServer(text: Text, table: string, server: JsonFields | undefined): Text {
  const config: JsonFields = fieldsOf(parseToml(text ?? ''))
  const { conduct: present, ...others } = fieldsOf(config[table])
  if (present !== undefined && !isOurServer(present)) return text
  if (JSON.stringify(present) === JSON.stringify(server)) return text
  const servers = server ? { ...others, conduct: server } : others
  const { [table]: _, ...rest } = config
  const wanted = Object.keys(servers).length > 0 ? { ...config, [table]: servers } : rest
  const after = patchToml(text ?? '', wanted, { inlineTableStart: 2 })
  if (after.trim() === '') return undefined
  return after.endsWith('\n') ? after : `${after}\n`
}

const [begin, end] = ['<!-- conduct:begin -->', '<!-- conduct:end -->']

/** A markdown text with our block where it was, or at the end; without the block if it is undefined. */
export function withBlock(text: Text, block: string | undefined): Text {
  const before = text ?? ''
  const [start, stop] = [before.indexOf(begin), before.indexOf(end)]
  if (start === -1 && stop === -1) {
    if (block === undefined) return text
    const gap = before === '' ? '' : before.endsWith('\n') ? '\n' : '\n\n'
    return `${before}${gap}${begin}\n${block}\n${end}\n`
  }
  if (start === -1 || stop < start) throw new Error(`it must have ${begin} and, after it, ${end}`)
  const [head, tail] = [before.slice(0, start), before.slice(stop + end.length)]
  if (block !== undefined) return `${head}${begin}\n${block}\n${end}${tail}`
  const rest = `${head.replace(/\n\n$/, '\n')}${tail.replace(/^\n/, '')}`
  return rest.trim() === '' ? undefined : rest
}

/** The object in a JSON text, or the object in it at `key`. Comments are allowed. */
function read(text: string, key?: string): JsonFields {
  const errors: ParseError[] = []
  const json = withoutMark(text)
  const value: unknown = parse(json, errors, { allowTrailingComma: true })
  const [error] = errors
  if (error) {
    const line = json.slice(0, error.offset).split('\n').length
    throw new Error(`it is not valid JSON (${printParseErrorCode(error.error)} in line ${line}): correct it first`)
  }
  const all = objectOf(value, 'it')
  return key === undefined ? all : objectOf(all[key] ?? {}, `"${key}"`)
}

function list(text: string, [key, event]: JSONPath): unknown[] {
  const value = read(text, String(key))[String(event)]
  if (value !== undefined && !Array.isArray(value)) throw new Error(`"${key}.${event}" must be a list`)
  return asList(value)
}

const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** The text with one value set, or removed if it is undefined. Keeps the indentation of the file. */
function set(text: string, path: JSONPath, value: unknown): string {
  const indent = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  '
  const formattingOptions = {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  }
  const json = withoutMark(text)
  const mark = text.slice(0, text.length - json.length)
  return mark + applyEdits(json, modify(json, path, value, { formattingOptions }))
}

/** The text without the byte order mark that some editors of Windows begin a file with. */
const withoutMark = (text: string) => text.replace(/^\ufeff/, '')
