import type { Place } from '../../spool/place.ts'
import { samePlace } from '../../spool/place.ts'
import { type ProcessId, sameProcess } from '../../spool/process.ts'
import type { Session } from '../../spool/recordings.ts'
import type { State } from '../../spool/state.ts'
import type { Env } from '../place/folders.ts'

/** What decides whose work a process does. */
export interface Caller {
  env: Env
  /** The metadata of an MCP call. */
  meta?: Record<string, unknown> | undefined
  /** The processes above this one, the nearest first. */
  ancestors: ProcessId[]
}

/** What is known of a recorded session. */
export type Known = Pick<Session, 'runId' | 'session' | 'agentProcess' | 'isLive'>

/** Whose work a process does: that of a run, that of a recorded session, or its own. */
export type Whose<S extends Known = Session> =
  | { kind: 'run'; runId: string }
  | { kind: 'session'; session: S }
  /** `several` are the sessions that it may be; none where it belongs to no session. */
  | { kind: 'own'; several: S[] }

const variables = ['CLAUDE_CODE_SESSION_ID', 'CODEX_SESSION_ID']

/** The session that an MCP client names with a call: the one that makes the call, and no other. */
export function callingSession(meta: Caller['meta']): string | undefined {
  const named = meta?.sessionId ?? meta?.threadId
  return typeof named === 'string' && named !== '' ? named : undefined
}

/** The ids of the sessions that the caller's agents hand down. */
function namesOf({ env, meta }: Pick<Caller, 'env' | 'meta'>): string[] {
  const calling = callingSession(meta)
  return calling === undefined ? variables.flatMap((variable) => env[variable] || []) : [calling]
}

/**
 * Whose work the caller does: the run that CONDUCT_RUN_ID names, else the session that its agent hands down, else the
 * session of the nearest agent above it. It is its own where that leaves none or several: nothing is guessed. `sessions`
 * are the recorded ones, live or not, with one of these names or of one of these processes.
 */
export function whoseWork<S extends Known>(caller: Caller, sessions: S[]): Whose<S> {
  if (caller.env.CONDUCT_RUN_ID) return { kind: 'run', runId: caller.env.CONDUCT_RUN_ID }
  const names = namesOf(caller)
  const found = names.length > 0 ? bearers(names, caller, sessions) : sessionsOf(nearest(caller, sessions), sessions)
  const [session, ...others] = found
  return session && others.length === 0 ? { kind: 'session', session } : { kind: 'own', several: found }
}

/** The sessions that the names mean. */
function bearers<S extends Known>(names: string[], caller: Caller, sessions: S[]): S[] {
  const named = names.flatMap((name) => sessions.filter(({ session }) => session === name))
  // One agent inside of another hands down both names, and either may be without a record.
  if (named.length < names.length) return []
  if (callingSession(caller.meta) !== undefined) return named
  const inner = names.length === 1 ? named : named.filter((one) => isOf(one, nearest(caller, named)))
  if (inner.length === 1 && inner[0]?.isLive === false) return successors(inner[0], caller, sessions)
  return inner.filter(({ isLive }) => isLive)
}

/** What goes on in the process of a session that has ended: an MCP server is not told that its agent began another one. */
function successors<S extends Known>({ agentProcess }: S, { ancestors }: Caller, sessions: S[]): S[] {
  const isAbove = ancestors.some((one) => agentProcess !== null && sameProcess(one, agentProcess))
  return isAbove ? sessionsOf(agentProcess ?? undefined, sessions) : []
}

/** The nearest process above the caller that is the agent of any of the sessions. */
const nearest = ({ ancestors }: Caller, sessions: Known[]): ProcessId | undefined =>
  ancestors.find((one) => sessions.some((session) => isOf(session, one)))

const isOf = ({ agentProcess }: Known, agent: ProcessId | undefined) =>
  agent !== undefined && agentProcess !== null && sameProcess(agentProcess, agent)

const sessionsOf = <S extends Known>(agent: ProcessId | undefined, sessions: S[]): S[] =>
  sessions.filter((session) => session.isLive && isOf(session, agent))

/** The same, by what this machine has recorded. A session that is recorded for another ledger or project is not ours. */
export function whoseRun(state: State, place: Place, caller: Caller): Whose {
  const whose = whoseWork(caller, state.sessions({ ids: namesOf(caller), processes: caller.ancestors }))
  if (whose.kind === 'run') return whose
  const isHere = (session: Session) => samePlace(session.place, place)
  if (whose.kind === 'session') return isHere(whose.session) ? whose : { kind: 'own', several: [] }
  return { ...whose, several: whose.several.filter(isHere) }
}
