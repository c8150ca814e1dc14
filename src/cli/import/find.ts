import { lstat, readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Env, homeOf } from '../../place/folders.ts'
import { fieldsOf, textOf } from '../../recorder/agents/fields.ts'
import { budget, numberedWith } from '../../recorder/agents/lines.ts'
import type { SkipReport } from '../../recorder/transcripts/moment.ts'

/** A session on this disk. */
export interface FoundSession {
  /** Its id, as the agent's hooks report it. */
  session: string
  file: string
  /** The transcripts of its subagents. */
  subagents: string[]
}

/** Where each agent keeps its transcripts. */
export const transcriptFolders = {
  claude: (env: Env) => join(env.CLAUDE_CONFIG_DIR || join(homeOf(env), '.claude'), 'projects'),
  codex: (env: Env) => join(env.CODEX_HOME || join(homeOf(env), '.codex'), 'sessions'),
}

/** The sessions of Claude Code below a folder. Throws if the folder cannot be read. */
export async function claudeSessions(folder: string, pass: SkipReport): Promise<FoundSession[]> {
  const files = await filesBelow(folder, /\.jsonl$/, pass)
  const sessions = new Map<string, FoundSession>()
  const subagents: { file: string; session: string | undefined }[] = []
  for (const file of files) {
    const inFolder = /[/\\]([^/\\]+)[/\\]subagents[/\\](?:.*[/\\])?[^/\\]+$/.exec(file)?.[1]
    const isSubagent = inFolder !== undefined || basename(file).startsWith('agent-')
    if (isSubagent) subagents.push({ file, session: inFolder ?? textOf((await firstLine(file)).sessionId, 200) })
    else add(sessions, pass, { session: basename(file, '.jsonl'), file, subagents: [] })
  }
  for (const { file, session } of subagents) attach(sessions, session, file, pass)
  return [...sessions.values()]
}

/** The sessions of Codex below a folder. Throws if the folder cannot be read. */
export async function codexSessions(folder: string, pass: SkipReport): Promise<FoundSession[]> {
  const files = await filesBelow(folder, /^rollout-.*\.jsonl$/, pass)
  const sessions = new Map<string, FoundSession>()
  const subagents: { file: string; session: string }[] = []
  for (const file of files) {
    const { id, session_id, parent_thread_id: parent } = fieldsOf((await firstLine(file)).payload)
    const known = textOf(id, 200) ?? /([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl$/.exec(file)?.[1]
    const top = textOf(session_id, 200)
    const above = textOf(parent, 200)
    if (above !== undefined) subagents.push({ file, session: top ?? above })
    else if (known === undefined) pass(file, 1, 'it names no session')
    else add(sessions, pass, { session: known, file, subagents: [] })
  }
  for (const { file, session } of subagents) attach(sessions, session, file, pass)
  return [...sessions.values()]
}

function add(sessions: Map<string, FoundSession>, pass: SkipReport, found: FoundSession) {
  const known = sessions.get(found.session)
  if (known) pass(found.file, undefined, `${known.file} is a transcript of the same session`)
  else sessions.set(found.session, found)
}

function attach(sessions: Map<string, FoundSession>, session: string | undefined, file: string, pass: SkipReport) {
  const parent = session === undefined ? undefined : sessions.get(session)
  if (parent) parent.subagents.push(file)
  else pass(file, undefined, 'it belongs to a subagent whose session has no transcript here')
}

/** The files below a folder, sorted by name. Links are not followed: they may form a cycle. */
async function filesBelow(folder: string, name: RegExp, pass: SkipReport): Promise<string[]> {
  const found: string[] = []
  const entries = await readdir(folder, { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      const below = await filesBelow(path, name, pass).catch((error: Error) => {
        pass(path, undefined, error.message)
        return []
      })
      for (const file of below) found.push(file)
    } else if (entry.isSymbolicLink()) {
      if (name.test(entry.name) || (await leadsToFolder(path)))
        pass(path, undefined, 'it is a symbolic link, which is not followed')
    } else if (name.test(entry.name)) {
      if (entry.isFile()) found.push(path)
      else pass(path, undefined, 'it is not a regular file')
    }
  }
  return found
}

const leadsToFolder = (path: string) =>
  stat(path).then(
    (one) => one.isDirectory(),
    () => false,
  )

/** The first line of a file that describes its session; undefined if there is none. */
async function firstLine(file: string) {
  try {
    const words = ['"sessionId"', '"session_meta"']
    for await (const { fields } of numberedWith(file, words, () => {}, budget())) return fields
  } catch {
    // The code that reads the whole file reports the error.
  }
  return {}
}

/** When the newest file of a session was written, in milliseconds since 1970. */
export async function newestWrite({ file, subagents }: FoundSession): Promise<number> {
  const written = (file: string) =>
    lstat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    )
  return Math.max(...(await Promise.all([file, ...subagents].map(written))))
}
