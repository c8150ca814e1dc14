import type { Run } from '../../nouns/run/fields.ts'
import { Command } from '../ui/copy.tsx'

/** The command that continues a finished session, or that records the next attempt at a finished command. */
export function Continue({ run }: { run: Run & { turns: { count: number } } }) {
  const { project, runId, status, command, turns } = run
  if (status !== 'completed' && status !== 'failed') return null
  const resume = resumeOf(run)
  if (resume !== undefined) return <Line label="Resume" command={resume} />
  // A session of an agent that cannot resume it has no command to repeat.
  if (turns.count > 0 && command === null) return null
  const again = command !== null && /^[\x20-\x7e]{1,200}$/.test(command) ? command : ''
  return (
    <Line
      label={again === '' ? 'Retry: write the command after the dashes' : 'Retry'}
      command={`conduct exec --project ${project} --retry-of ${runId} -- ${again}`}
    />
  )
}

const Line = ({ label, command }: { label: string; command: string }) => (
  <p class="retry">
    <span class="muted small">{label}</span>
    <Command text={command} />
  </p>
)

/** How agents name the command that continues a session. */
const resumes = new Map([
  ['claude-code', 'claude --resume'],
  ['codex', 'codex resume'],
])

/** The command that continues a session of an agent that has one; undefined where the run does not say which it is. */
function resumeOf({ agent, command, where }: Run): string | undefined {
  const resume = resumes.get(agent ?? '')
  const { cwd, session } = where ?? {}
  if (!resume || command !== null || !cwd || !session) return undefined
  // What an agent reported must not run, or be an option, when it is pasted.
  if (!/^\/[\x20-\x7e]{0,400}$/.test(cwd) || !/^\w[\w.:-]{0,200}$/.test(session)) return undefined
  return `cd ${quoted(cwd)} && ${resume} ${session}`
}

/** A word of a shell. */
const quoted = (word: string) => (/^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
