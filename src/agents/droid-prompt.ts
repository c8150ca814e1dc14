import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { defined, type Fields, fieldsOf, isTooDeep, listOf } from './fields.ts'
import type { Seen } from './seen.ts'
import { promptIn } from './transcripts/droid-line.ts'

/** How much of the end of a transcript to read, in bytes: a hook has little time. */
const most = 262_144

/**
 * The reports of a hook of Factory Droid, after the prompt of the turn: `droid exec` runs no hook for a prompt, and
 * other sessions do. The transcript has it. Its id makes all but the first report of it repetitions.
 */
export function withPrompt(seen: Seen[]): Seen[] {
  const [first] = seen
  if (!first?.transcript || first.step.kind === 'start' || first.step.kind === 'prompt') return seen
  try {
    const prompt = isExec(first.transcript) ? lastPrompt(endOf(first.transcript)) : undefined
    if (!prompt) return seen
    const { step: _, id: __, ...head } = first
    const { turn, text } = prompt
    return [defined({ ...head, step: { kind: 'prompt', text } as const, id: `prompt ${turn}`, turn }) as Seen, ...seen]
  } catch {
    // Without it, the session is recorded all the same.
    return seen
  }
}

/** Whether `droid exec` runs the session, by the settings beside its transcript. */
function isExec(transcript: string): boolean {
  const settings = parsed(endOf(transcript.replace(/\.jsonl$/, '.settings.json')))
  return listOf(settings?.tags).some(({ name }) => name === 'exec')
}

function lastPrompt(text: string) {
  const lines = text.split('\n').filter((line) => line.includes('"role":"user"'))
  for (const line of lines.reverse()) {
    const prompt = promptIn(parsed(line) ?? {})
    if (prompt) return prompt
  }
  return undefined
}

function parsed(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isTooDeep(value) ? undefined : fieldsOf(value)
  } catch {
    return undefined
  }
}

/** The end of a regular file. Throws if it cannot be read. */
function endOf(path: string): string {
  // Opening a pipe without a writer would block for ever.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw new Error(`${path} is not a regular file`)
    const length = Math.min(stat.size, most)
    const buffer = Buffer.alloc(length)
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, length, stat.size - length))
  } finally {
    closeSync(file)
  }
}
