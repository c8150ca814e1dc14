import type { Env } from '../../place/folders.ts'
import type { Place } from '../../place/place.ts'
import { samePlace } from '../../place/place.ts'
import { type ProcessId, sameProcess } from '../spool/process.ts'
import type { SessionRecording } from '../spool/recordings.ts'
import type { Spool } from '../spool/state.ts'

/** What decides whose work a process does. */
export interface Caller {
  env: Env
  /** The metadata of an MCP call; undefined for a command. */
  meta?: Record<string, unknown> | undefined
  /** The processes above this one, the nearest first. */
  ancestors: ProcessId[]
  /** What started this process, whatever shells stand between. */
  starter?: ProcessId | undefined
}

/** What is known of a recorded session. */
export type KnownSession = Pick<SessionRecording, 'runId' | 'session' | 'agentProcess' | 'processes' | 'isLive'>

/** Whose work a process does: that of a run, that of a recorded session, or its own. */
export type Whose<S extends KnownSession = SessionRecording> =
  | { kind: 'run'; runId: string }
  | { kind: 'session'; session: S }
  /** `candidates` are the sessions to which it may belong all the same. */
  | { kind: 'own'; candidates: S[] }

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
 * Whose work the caller does. The first of these that there is:
 * 1. the run that CONDUCT_RUN_ID names, unless it is that of an outer session
 * 2. the session that its agent hands down
 * 3. the session of the nearest agent above it
 *
 * It is its own work if there is none of them, or several sessions: nothing is guessed. `sessions` are the recorded ones,
 * live or not, with one of these names or of one of these processes.
 */
export function whoseWork<S extends KnownSession>(caller: Caller, sessions: S[]): Whose<S> {
  const runId = caller.env.CONDUCT_RUN_ID
  const agent = nearest(caller, sessions)
  if (runId && !isHandedOn(runId, agent, caller, sessions)) return { kind: 'run', runId }
  const names = namesOf(caller)
  const found = names.length > 0 ? bearers(names, agent, caller, sessions) : ofAgent(agent, caller, sessions)
  const [session, ...others] = found
  if (session && others.length === 0) return { kind: 'session', session }
  if (callingSession(caller.meta) !== undefined) return { kind: 'own', candidates: [] }
  return { kind: 'own', candidates: others.length > 0 ? found : liveIn(agent, sessions) }
}

/** Whether the run belongs to an outer session: `conduct exec` in a session passes its id to everything below, other agents included. */
function isHandedOn(runId: string, agent: ProcessId | undefined, caller: Caller, sessions: KnownSession[]): boolean {
  const outer = sessions.find((session) => session.runId === runId && isAbove(session, caller))
  return outer !== undefined && !wasOf(outer, agent)
}

/** The sessions that the names mean. */
function bearers<S extends KnownSession>(
  names: string[],
  agent: ProcessId | undefined,
  caller: Caller,
  sessions: S[],
): S[] {
  const named = names.flatMap((name) => sessions.filter(({ session }) => session === name))
  // One agent inside another hands down both names, and either may be without a record.
  if (named.length < names.length) return []
  if (callingSession(caller.meta) !== undefined) return named
  const inner = named.filter((one) => isOf(one, agent))
  const live = inner.filter(({ isLive }) => isLive)
  if (live.length > 0) return live
  // An MCP server is not told that its agent has ended that session and begun another.
  if (inner.length > 0) return caller.meta && isStartedBy(agent, caller) ? liveIn(agent, sessions) : []
  const elsewhere = named.filter((one) => one.isLive && !isAbove(one, caller))
  // The agents that hand down the names run around the nearest one, which hands down none.
  if (agent !== undefined) return elsewhere.length === 0 ? ofAgent(agent, caller, sessions) : []
  return names.length === 1 ? elsewhere : []
}

/** The session that the agent works on. What it started long ago may be of an earlier one. */
function ofAgent<S extends KnownSession>(agent: ProcessId | undefined, caller: Caller, sessions: S[]): S[] {
  const live = liveIn(agent, sessions)
  const isOnly = sessions.filter((session) => wasOf(session, agent)).length === 1
  return live.length > 1 || isOnly || isStartedBy(agent, caller) ? live : []
}

/** The nearest process above the caller that is, or was, the agent of any of the sessions. */
const nearest = ({ ancestors }: Caller, sessions: KnownSession[]): ProcessId | undefined =>
  ancestors.find((one) => sessions.some((session) => wasOf(session, one)))

const isAbove = (session: KnownSession, { ancestors }: Caller) => ancestors.some((one) => isOf(session, one))

const isStartedBy = (agent: ProcessId | undefined, { starter }: Caller) =>
  agent !== undefined && starter !== undefined && sameProcess(agent, starter)

const isOf = ({ agentProcess }: KnownSession, agent: ProcessId | undefined) =>
  agent !== undefined && agentProcess !== null && sameProcess(agentProcess, agent)

const wasOf = ({ processes }: KnownSession, agent: ProcessId | undefined) =>
  agent !== undefined && processes.some((one) => sameProcess(one, agent))

const liveIn = <S extends KnownSession>(agent: ProcessId | undefined, sessions: S[]): S[] =>
  sessions.filter((session) => session.isLive && isOf(session, agent))

/**
 * The same, from the recordings of this machine. A session that is recorded for another ledger or project is not ours. Neither is a
 * run whose id a process above passes on from there: here, that id may name another run.
 */
export function whoseRun(state: Spool, place: Place, caller: Caller): Whose {
  const whose = whoseWork(caller, state.sessions({ ids: namesOf(caller), processes: caller.ancestors }))
  if (whose.kind === 'run') {
    const recordings = state.handedOn(whose.runId, caller.ancestors)
    const isElsewhere = recordings.length > 0 && !recordings.some((one) => samePlace(one.place, place))
    return isElsewhere ? { kind: 'own', candidates: [] } : whose
  }
  const isHere = (session: SessionRecording) => samePlace(session.place, place)
  if (whose.kind === 'session') return isHere(whose.session) ? whose : { kind: 'own', candidates: [] }
  return { ...whose, candidates: whose.candidates.filter(isHere) }
}
