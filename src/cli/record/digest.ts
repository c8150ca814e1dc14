import { isAbsolute, relative } from 'node:path'
import type { Step } from '../../agents/agent.ts'

/** What happened since the agent last gave the word back to its user. */
export interface Turn {
  prompts: string[]
  /** How often each tool was used. */
  tools: Record<string, number>
  files: string[]
  commands: { command: string; exitCode?: number }[]
}

export const emptyTurn: Turn = { prompts: [], tools: {}, files: [], commands: [] }

export const isEmpty = ({ prompts, tools }: Turn) => prompts.length === 0 && Object.keys(tools).length === 0

/** How many are kept of each, and how many characters of each are told. */
const most = { prompts: 20, kept: 500, told: 50, prompt: 4_000, command: 300 }

/** The turn with one more step. Files are told from `cwd`. */
export function withStep(turn: Turn, step: Step, cwd: string): Turn {
  if (step.kind === 'prompt') return { ...turn, prompts: [...turn.prompts, step.text].slice(0, most.prompts) }
  if (step.kind !== 'tool') return turn
  const { tool, command, exitCode } = step
  const files = new Set([...turn.files, ...(step.files ?? []).map((file) => fromFolder(file, cwd))])
  const ran = command === undefined ? [] : [{ command: short(onOneLine(command), most.command), exitCode }]
  return {
    ...turn,
    tools: { ...turn.tools, [tool]: (turn.tools[tool] ?? 0) + 1 },
    files: [...files].slice(0, most.kept),
    commands: [...turn.commands, ...ran].slice(0, most.kept),
  }
}

const onOneLine = (command: string) => command.trim().replace(/\s*\n\s*/g, ' ; ')

function fromFolder(file: string, cwd: string): string {
  const path = isAbsolute(file) ? relative(cwd, file) : file
  return path === '' || path.startsWith('..') ? file : path
}

/** The first line with words in it, as a title or a heading. */
export function firstLine(text: string, length: number): string {
  const line = text.split('\n').find((one) => one.trim() !== '') ?? ''
  return short(line.trim().replace(/^#+\s*/, ''), length)
}

const short = (text: string, length: number) =>
  text.length > length ? `${text.slice(0, length - 1).toWellFormed()}…` : text

/** A turn in markdown, to be appended to what the run tells already. */
export function digestOf({ prompts, tools, files, commands }: Turn, failure?: string): string {
  const heading = firstLine(prompts[0] ?? '', 100) || 'The agent went on by itself'
  const used = Object.entries(tools).map(([name, times]) => (times === 1 ? name : `${name} ×${times}`))
  const ran = commands.map(({ command, exitCode }) => {
    return `- ran ${codeOf(command)}${exitCode === undefined ? '' : `: exit ${exitCode}`}`
  })
  const moreFiles = files.length > most.told ? ` and ${files.length - most.told} more` : ''
  const lines = [
    ...(used.length > 0 ? [`- used ${used.join(', ')}`] : []),
    ...(files.length > 0 ? [`- changed ${files.slice(0, most.told).map(codeOf).join(', ')}${moreFiles}`] : []),
    ...ran.slice(0, most.told),
    ...(ran.length > most.told ? [`- ran ${ran.length - most.told} commands more`] : []),
    ...(failure === undefined ? [] : [`- failed: ${short(failure, most.command)}`]),
  ]
  const quotes = prompts.map((prompt) => `${quoteOf(short(prompt.trim(), most.prompt))}\n`)
  return [`## ${heading}\n`, ...quotes, ...lines, '\n'].join('\n')
}

const quoteOf = (text: string) => text.replace(/^/gm, '> ')

/** As code, in a fence that is longer than any in it. */
function codeOf(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length))
  const fence = '`'.repeat(longest + 1)
  return longest > 0 ? `${fence} ${text} ${fence}` : `${fence}${text}${fence}`
}
