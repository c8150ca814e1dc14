import { ConductError } from '../../../client/client.ts'
import { base } from '../../app/router.ts'
import { type Read, useRead } from '../query/read.ts'
import { fetchAsSession } from '../query/server.ts'
import { isTurnOf } from './run-events.ts'

/** The change to a file, by a turn or by a run. */
export interface FileDiff {
  path: string
  /** The last turn that changed it. */
  turn: number
  status: 'added' | 'modified' | 'deleted' | 'renamed'
  /** The old path of a renamed file. */
  from?: string
  mode?: string
  oldMode?: string
  insertions?: number
  deletions?: number
  binary?: true
  bytes?: number
  /** How much of the diff was left out, because it is long. */
  cut?: { lines: number; bytes: number }
  withheld?: true
  masked?: true
  shared?: true
  erased?: true
  /** The hunks of the unified diff, from the first @@ on. */
  patch?: string
}

interface Page {
  files: FileDiff[]
  meta: { total: number; omitted?: number; nextCursor?: string }
}

export interface Diff {
  files: FileDiff[]
  /** How many files changed whose diff is not among them. */
  missing: number
}

/** The most files to read. */
const most = 1000

/** Reads what a run, or one of its turns, wrote. */
export const useDiff = (project: string, runId: string, turn: number | undefined): Read<Diff> =>
  useRead(`diff ${turn ?? ''}`, (signal) => readDiff(project, runId, turn, signal), {
    touches: (event) => /^turn\.(created|updated)$/.test(event.type) && isTurnOf(event, project, runId),
    restMs: 2000,
  })

async function readDiff(project: string, runId: string, turn: number | undefined, signal: AbortSignal): Promise<Diff> {
  const files: FileDiff[] = []
  let page = await readPage(project, runId, { turn }, signal)
  for (;;) {
    files.push(...page.files)
    const { nextCursor: cursor, total, omitted = 0 } = page.meta
    if (cursor === undefined || files.length >= most) return { files, missing: total - files.length + omitted }
    page = await readPage(project, runId, { turn, cursor }, signal)
  }
}

interface Asked {
  turn: number | undefined
  cursor?: string
}

/** The only place that knows how the server is asked: `getDiff` of the client, once it has that operation. */
async function readPage(project: string, runId: string, asked: Asked, signal: AbortSignal): Promise<Page> {
  const url = new URL(`v1/runs/${encodeURIComponent(runId)}/diff?limit=100`, base)
  for (const [name, value] of Object.entries(asked)) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  const response = await fetchAsSession(new Request(url, { signal, headers: { 'x-project-id': project } }))
  if (response.status === 404) return { files: [], meta: { total: 0 } }
  if (!response.ok) throw new ConductError('INTERNAL_ERROR', `The server answered with the status ${response.status}.`)
  return response.json()
}
