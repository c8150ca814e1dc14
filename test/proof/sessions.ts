import assert from 'node:assert/strict'
import { type Caller, whoseRun } from '../../src/capture/hook/whose-run.ts'
import type { ProcessId } from '../../src/capture/spool/process.ts'
import type { Spool } from '../../src/capture/spool/state.ts'
import { localHold } from '../../src/cli/commands/mcp-hold.ts'
import { type Client, ConductError, type Input } from '../../src/client/client.ts'
import { tools } from '../../src/mcp/server.ts'
import type { Place } from '../../src/place/place.ts'

// A simulation of agents at work in one folder and its worktree, to see who writes what to which run.

type Random = (below: number) => number

/** A sequence of random numbers from a seed (mulberry32). */
export function randomOf(seed: number): Random {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below)
  }
}

/** How an agent identifies the session of a call: `claude` and `codex` as these agents do, `plain` not at all. */
const kinds = ['claude', 'codex', 'plain'] as const
type Kind = (typeof kinds)[number]

/** An agent process, with the one MCP server that it has started. */
interface Host {
  kind: Kind
  id: ProcessId
  /** The processes above it, nearest first. */
  above: ProcessId[]
  /** Its environment, with the ids of the sessions around it. */
  env: Record<string, string>
  /** The session that started it, if any. */
  outer: Session | undefined
  /** The session for which the MCP server was started, and the server's hold on its runs. */
  servedFirst: string
  hold: ReturnType<typeof localHold>
}

interface Session {
  name: string
  host: Host
  /** The session that started it, if any, even if it was resumed at a terminal since. */
  startedBy: Session | undefined
  /** Whether hooks record it. */
  isHooked: boolean
  isLive: boolean
  /** The run that it created with start_run. */
  begun: string | undefined
  /** Marks of its texts that the ledger has stored. Each mark contains the name of the session. */
  marks: string[]
}

interface World {
  client: Client
  state: Spool
  place: Place
  random: Random
  sessions: Session[]
  /** Returns a new number each time. */
  next(): number
}

export const worldOf = (client: Client, state: Spool, place: Place, random: Random): World => {
  let last = 0
  return { client, state, place, random, sessions: [], next: () => ++last }
}

const one = <T>({ random }: World, of: readonly T[]): T | undefined => of[random(of.length)]
const live = ({ sessions }: World) => sessions.filter(({ isLive }) => isLive)
const processOf = (world: World): ProcessId => ({ machine: 'here', pid: world.next(), started: '1' })

/** The environment of a command of the session: the ids around the session, and its own id if its agent sets one. */
function envOf({ host, name }: Session): Record<string, string> {
  if (host.kind === 'claude') return { ...host.env, CLAUDE_CODE_SESSION_ID: name }
  return host.kind === 'codex' ? { ...host.env, CODEX_SESSION_ID: name } : host.env
}

/** The processes above a command of the session: a shell, then its agent. */
const aboveCommand = (world: World, { id, above }: Host) => [processOf(world), id, ...above]

function startServer(world: World, { kind, id, above, env }: Omit<Host, 'hold' | 'servedFirst'>, name: string) {
  const { client, state, place } = world
  const own = kind === 'claude' ? { ...env, CLAUDE_CODE_SESSION_ID: name } : env
  const cwd = one(world, ['/shop', '/shop-worktree']) as string
  return localHold({ client, state, place, cwd, env: own, ancestors: [id, ...above], starter: id })
}

/** Starts an agent at a terminal, or from a session. */
async function launch(world: World) {
  const outer = world.random(2) === 0 ? one(world, live(world)) : undefined
  const kind = one(world, kinds) as Kind
  const above = outer ? aboveCommand(world, outer.host) : [processOf(world)]
  const host = { kind, id: processOf(world), above, env: outer ? envOf(outer) : {}, outer }
  const name = `S${world.next()}`
  const served = { ...host, hold: startServer(world, host, name), servedFirst: name }
  await begin(world, served, name, world.random(4) > 0)
}

/** Nothing distinguishes sessions in one process that hooks do not record and calls do not name. */
const isApart = ({ isHooked, host }: Session) => isHooked || host.kind === 'codex'

/** Begins a session in a process that already has others, as an editor does. */
async function join(world: World) {
  const beside = one(
    world,
    live(world).filter((other) => isApart(other) && other.host.kind !== 'claude'),
  )
  if (beside) await begin(world, beside.host, `S${world.next()}`, beside.isHooked)
}

async function begin(world: World, host: Host, name: string, isHooked: boolean) {
  const session: Session = { name, host, startedBy: host.outer, isHooked, isLive: true, begun: undefined, marks: [] }
  world.sessions.push(session)
  if (!isHooked) return
  const { client, state } = world
  const { run, lease } = await client.createRun({ title: `of ${name}`, where: { session: name }, leaseSeconds: 600 })
  prompt(world, session)
  const ids = state.notes(nameOf(session)).map((note) => note.id)
  state.settle(nameOf(session), ids, [], { memo: { begun: true }, ended: false })
  state.update(nameOf(session), { runId: run.runId, leaseToken: lease?.token ?? null })
}

const nameOf = ({ name }: Session) => `hook-${name}`

/** Lets a hook note a prompt. */
function prompt({ state, place, next }: World, session: Session) {
  const { name, host } = session
  const recording = { name: nameOf(session), kind: 'hook', place, cwd: '/shop', session: name } as const
  const seen = { agent: 'claude-code', session: name, cwd: '/shop', step: { kind: 'prompt', text: 'x' } } as const
  state.note({ ...recording, agentProcess: host.id }, seen, `${next()}`, true)
}

/** Ends a session. Its hook reports that, unless the session is killed. */
async function end(world: World, session: Session | undefined, isKilled: boolean) {
  if (!session) return
  session.isLive = false
  if (session.isHooked && !isKilled) {
    const ids = world.state.notes(nameOf(session)).map(({ id }) => id)
    world.state.settle(nameOf(session), ids, [], { memo: { begun: true, ended: true }, ended: true })
    await tell(world, session, { status: 'completed' })
  }
}

/** Lets the recorder of a session update its run, with the lease that only the recorder has. */
async function tell({ client, state }: World, session: Session, fields: Omit<Input<'updateRun'>, 'runId'>) {
  const { runId, leaseToken } = state.find(nameOf(session)) ?? assert.fail(session.name)
  await client.updateRun({ runId: runId as string, leaseToken: leaseToken as string, ...fields })
}

/** Kills a process with all its sessions. Processes that it started may continue. */
async function kill(world: World) {
  const victim = one(world, live(world))
  for (const session of live(world)) if (session.host === victim?.host) await end(world, session, true)
}

/** Resumes a finished session in a process of its own. The recorder has not yet sent the prompt that its hook notes. */
async function resume(world: World) {
  const session = one(
    world,
    world.sessions.filter(({ isLive }) => !isLive),
  )
  if (!session) return
  const host = { ...session.host, id: processOf(world), above: [processOf(world)], env: {}, outer: undefined }
  session.host = { ...host, hold: startServer(world, host, session.name), servedFirst: session.name }
  session.isLive = true
  if (!session.isHooked) return
  prompt(world, session)
  // The agent may be faster than the recorder.
  if (world.random(2) === 0) await call(world, session)
  const ids = world.state.notes(nameOf(session)).map(({ id }) => id)
  world.state.settle(nameOf(session), ids, [], { memo: { begun: true }, ended: false })
  await tell(world, session, { status: 'in_progress', leaseSeconds: 600 })
}

/** Begins another session in the process of a finished one, as `/clear` does. The MCP server stays. */
async function clear(world: World) {
  const alone = ({ host }: Session) => live(world).filter((other) => other.host === host).length === 1
  const session = one(
    world,
    live(world).filter((one) => isApart(one) && alone(one)),
  )
  if (!session) return
  await end(world, session, false)
  await begin(world, session.host, `S${world.next()}`, session.isHooked)
}

function restartServer(world: World) {
  const session = one(world, live(world))
  if (!session) return
  session.host.hold = startServer(world, session.host, session.name)
  session.host.servedFirst = session.name
}

/**
 * Calls an MCP tool. If the tool requires a run id, the session repeats the call with the id of the run that it
 * created.
 */
async function call(world: World, session: Session) {
  const mark = `<${session.name}:${world.next()}>`
  const given = inputs(mark, session.begun ?? 'SPEC')
  const [tool, input] = one(world, given) as (typeof given)[number]
  const data = await answered(world, session, tool, input).catch((error) => {
    if (!isUnnamed(error)) throw error
    assert.ok(session.begun || !mustBeFound(world, session), `${session.name} is not found: ${error.message}`)
    return session.begun === undefined ? undefined : answered(world, session, tool, { ...input, runId: session.begun })
  })
  if (!data) return
  if (tool === 'start_run') session.begun = data.runId as string
  else if ('runId' in data) session.marks.push(mark)
}

const isUnnamed = (error: unknown) => error instanceof ConductError && error.code === 'VALIDATION_ERROR'

const inputs = (mark: string, id: string) =>
  [
    ['start_run', { title: mark }],
    ['log_run', { text: mark, features: [mark] }],
    ['log_run', { text: mark }],
    ['record_check', { name: mark, result: 'pass' }],
    ['finish_run', { status: 'completed', summary: mark }],
    ['save_spec', { title: mark, content: mark }],
    ['search_ledger', {}],
    ['read_ledger', { id }],
  ] as const

async function answered({ client }: World, { name, host }: Session, tool: string, input: object) {
  const meta = host.kind === 'codex' ? { sessionId: name, threadId: name } : {}
  const call = { client, hold: host.hold, agent: host.kind, meta, once: () => ({}) }
  const found = tools.find((one) => one.name === tool) ?? assert.fail(tool)
  return (await found.call(call, input)).data
}

/** Runs a command that asks for its session, as `conduct check exec` does. */
function command(world: World, session: Session) {
  const { host } = session
  const caller: Caller = { env: envOf(session), ancestors: aboveCommand(world, host), starter: host.id }
  const whose = whoseRun(world.state, world.place, caller)
  if (whose.kind === 'session') assert.ok(mayWrite(session, whose.session.session), `a command of ${session.name}`)
  else assert.ok(!mustBeFound(world, session, true), `the session of a command of ${session.name} is not found`)
}

/**
 * Whether work of the session may be in a run of `owner`. That is the session itself or, for an agent that nothing
 * identifies, a session that started it.
 */
function mayWrite({ name, host, isHooked, startedBy }: Session, owner: string): boolean {
  if (name === owner) return true
  return !isHooked && host.kind === 'plain' && startedBy !== undefined && mayWrite(startedBy, owner)
}

/** Whether the caller's session is certain, so that Conduct must find it. */
function mustBeFound(world: World, session: Session, isCommand = false): boolean {
  const { host, isHooked } = session
  const beside = world.sessions.filter((other) => other !== session && other.host === host)
  const isTold = host.kind === 'codex' || (host.kind === 'claude' && isCommand)
  // A server that outlived its first session still names that one, which may continue elsewhere.
  const first = world.sessions.find((other) => other.name === host.servedFirst)
  const isGone = !first || world.state.find(nameOf(first))?.ended === true
  const isMisled = host.kind === 'claude' && !isCommand && first !== session && !isGone
  const isAlone = isTold || (!isMisled && beside.every(({ isLive, isHooked }) => !isLive && isHooked))
  return isHooked && isAlone && isRecorded(host)
}

/** Whether hooks record all agents around this one, and these are still in their processes. */
const isRecorded = ({ outer, above }: Host): boolean =>
  outer === undefined || (outer.isHooked && outer.isLive && above.includes(outer.host.id) && isRecorded(outer.host))

const deeds: [weight: number, deed: (world: World) => Promise<void> | void][] = [
  [3, launch],
  [1, join],
  [1, kill],
  [1, (world) => end(world, one(world, live(world)), false)],
  [1, resume],
  [1, clear],
  [1, restartServer],
  [
    3,
    (world) => {
      for (const session of live(world)) command(world, session)
    },
  ],
  [
    12,
    async (world) => {
      const session = one(world, live(world))
      if (session) await call(world, session)
    },
  ],
]

/** Lets the agents work for that many steps. */
export async function play(world: World, steps: number): Promise<void> {
  await world.client.createSpec({ specId: 'SPEC' })
  await launch(world)
  await launch(world)
  const all = deeds.flatMap(([weight, deed]) => Array.from({ length: weight }, () => deed))
  for (let step = 0; step < steps; step++) await one(world, all)?.(world)
}

/**
 * Asserts that each run contains only work of one session, the recorded one if hooks record it, and that nothing is
 * lost.
 */
export async function requireApart(world: World): Promise<void> {
  const { client, sessions } = world
  const found = new Set<string>()
  for await (const { runId } of client.all('listRuns', { limit: 100 })) {
    const { run } = await client.getRun({ runId })
    const { checks } = await client.listChecks({ runId, limit: 100 })
    const texts = [run.content, run.title, ...run.features.map(({ name }) => name), ...checks.map(({ name }) => name)]
    const marks = texts.flatMap((text) => text?.match(/<S\d+:\d+>/g) ?? [])
    for (const mark of marks) found.add(mark)
    const writers = new Set(marks.map((mark) => sessions.find(({ name }) => mark.startsWith(`<${name}:`))))
    const owner = run.where?.session ?? [...writers].find((writer) => writer?.begun !== undefined)?.name
    for (const writer of writers) {
      assert.ok(writer && mayWrite(writer, owner ?? writer.name), `${writer?.name} wrote to the run of ${owner}`)
    }
    if (!run.where?.session) continue
    const session = sessions.find(({ name }) => name === owner)
    const isOver = world.state.find(`hook-${owner}`)?.ended
    assert.equal(run.status, isOver ? 'completed' : 'in_progress', `only ${session?.name} itself ends its run`)
  }
  for (const { marks } of sessions) for (const mark of marks) assert.ok(found.has(mark), `${mark} is lost`)
}
