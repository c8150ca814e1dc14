import { foreignEnd } from '../../place/foreign.ts'
import { begunIn, promptIn, resultsIn, type UseStep, useOf } from '../../recorder/agents/droid/line.ts'
import { defined, fieldsIn, fieldsOf, type JsonFields, listOf } from '../../recorder/agents/fields.ts'
import type { Seen, Step } from '../../recorder/agents/seen.ts'

/** How much of the end of a transcript to read, in bytes: a hook has little time. */
const most = 262_144

/**
 * The reports of a hook of Factory Droid, after those that no hook makes: Droid runs none after a command that failed, and
 * `droid exec` none for a prompt. The transcript has both. Their ids make all but the first report of each repetitions.
 */
export function withUnheard(seen: Seen[]): Seen[] {
  const [first] = seen
  if (!first?.transcript || first.step.kind === 'start') return seen
  try {
    const lines = (foreignEnd(first.transcript, most) ?? '').split('\n')
    const [at, prompt] = lastPrompt(lines)
    const { step: _, id: __, ...head } = first
    const reported = (step: Step, id: string, turn?: string) => defined({ ...head, step, id, turn }) as Seen
    const isMissing = prompt && first.step.kind !== 'prompt' && isExec(first.transcript)
    return [
      ...(isMissing ? [reported({ kind: 'prompt', text: prompt.text }, `prompt ${prompt.turn}`, prompt.turn)] : []),
      ...failedIn(lines.slice(at + 1)).map((step) => reported(step, `tool ${step.id}`)),
      ...seen,
    ]
  } catch {
    // Without them, the session is recorded all the same.
    return seen
  }
}

/** Whether `droid exec` runs the session, by the settings beside its transcript. */
function isExec(transcript: string): boolean {
  const settings = transcript.replace(/\.jsonl$/, '.settings.json')
  return listOf(fieldsIn(foreignEnd(settings, most) ?? '')?.tags).some(({ name }) => name === 'exec')
}

/** The last prompt, after the number of its line; -1 if there is none. */
function lastPrompt(lines: string[]): [at: number, prompt?: ReturnType<typeof promptIn>] {
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at] as string
    const prompt = line.includes('"role":"user"') ? promptIn(fieldsIn(line) ?? {}) : undefined
    if (prompt) return [at, prompt]
  }
  return [-1]
}

/** The commands that failed. */
function failedIn(lines: string[]): UseStep[] {
  const failed = messagesWith('"is_error":true', lines).flatMap(resultsIn)
  if (failed.length === 0) return []
  const begun = new Map(messagesWith('"tool_use"', lines).flatMap(begunIn))
  return failed.flatMap((result) => {
    const step = useOf(begun, result)
    return step?.failed && step.command !== undefined ? [step] : []
  })
}

const messagesWith = (word: string, lines: string[]): JsonFields[] =>
  lines.filter((line) => line.includes(word)).map((line) => fieldsOf(fieldsIn(line)?.message))
