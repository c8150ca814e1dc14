import { stripVTControlCharacters } from 'node:util'
import { mask } from '../../mask/mask.ts'
import type { Env } from '../../place/folders.ts'
import { commandLine } from '../../terminal/command-line.ts'
import type { Recording } from '../spool/recordings.ts'
import type { State } from '../spool/state.ts'
import { type Ended, runChild } from './child.ts'
import { addToSession, runOf } from './in-session.ts'
import { createOutput } from './output.ts'
import { createTail } from './tail.ts'

/** The most characters that a session keeps of one command's output. */
const tailLength = 32_768

export interface SessionExec {
  state: State
  session: Recording
  env: Env
  /** Whether the command has the terminal, so its output is not recorded. */
  isInteractive: boolean
  say(words: string): void
}

/** Runs the command as part of the session: appends its output and result to the session's run. */
export async function execInSession(words: string[], options: SessionExec): Promise<number> {
  const { state, session, env, isInteractive, say } = options
  const runId = await runOf(state, session, env)
  const tail = createTail(tailLength)
  const output = createOutput({ isFull: () => false, put: tail.put })
  const ended = await runChild(words, {
    env: { ...env, CONDUCT_RUN_ID: runId },
    onOutput: isInteractive ? undefined : output.write,
  })
  process.exitCode = ended.exitCode
  if (ended.fault) say(ended.fault)
  try {
    await output.end()
    const text = chapterOf(await mask(commandLine(words)), ended, tail.text())
    await addToSession(state, session, env, { operation: 'appendToRun', input: { text } }, say)
    const made = state.find(session.name)?.runId
    if (made) say(`recorded in ${made}, the run of this session`)
  } catch (error) {
    say(`The command was not recorded: ${(error as Error).message}.`)
  }
  return ended.exitCode
}

/** The command as a Markdown section of a run, with its output in plain text. */
function chapterOf(command: string, { exitCode, durationMs, fault }: Ended, written: string): string {
  const plain = stripVTControlCharacters(fault ?? written).trimEnd()
  const end = `It ended with exit code ${exitCode} after ${(durationMs / 1000).toFixed(1)} s.`
  return `\n${fenced(command, 'sh')}\n${end}\n${plain === '' ? '' : `\n${fenced(plain, 'text')}`}`
}

/** A code block whose fence is longer than any in the text. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text}\n${fence}\n`
}
