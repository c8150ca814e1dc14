import { z } from 'zod'
import type { Input } from '../client/client.ts'
import { ConductError } from '../contract/error.ts'
import { humanId, text } from '../contract/field.ts'
import { firstBytes } from '../contract/text.ts'
import { featureFields } from '../nouns/feature/fields.ts'
import { checkInput, checkName, checkResult } from '../nouns/run/check/fields.ts'
import { type Run, runInput, runStatus } from '../nouns/run/fields.ts'
import { sameCommand } from '../nouns/run/verdict/command.ts'
import { specInput } from '../nouns/spec/fields.ts'
import type { CheckGit } from './hold.ts'
import { shown, verdictText } from './show.ts'
import { adds, changes, type ToolContext, tool } from './tool.ts'

const runId = humanId.optional().describe('Default: the one open run')
const features = z.array(featureFields.name.given).max(100).optional().describe('Names of features touched')
const words = text(Number.POSITIVE_INFINITY, 1)
const outcomeFields = {
  runId: z.string(),
  status: z.string(),
  verdict: z.string(),
  evidence: z.string().nullable(),
}
/** The most bytes of a failure message. */
const failureBytes = 4000

export const startRun = tool({
  name: 'start_run',
  description: 'Start a run: the record of one piece of work. Returns its runId. Call it before you change code.',
  annotations: adds,
  input: z.strictObject({
    title: runInput.title.unwrap().unwrap().describe('What you will do'),
    specId: humanId.optional().describe('Spec it implements'),
    retryOf: humanId.optional().describe('runId of the run that this retries'),
  }),
  output: z.object({ runId: z.string(), status: z.string(), attempt: z.int(), specVersion: z.int().nullable() }),
  async run({ client, hold, agent, meta, once }, { title, specId, retryOf }) {
    const adopt = (runId: string) => async (leaseToken: string | undefined) =>
      (await client.updateRun({ runId, title, specId, leaseToken }, once('adopt'))).run
    // A new attempt is a separate run.
    const opened = retryOf === undefined ? await hold.session(meta) : undefined
    const run =
      opened === undefined
        ? await hold.start({ title, specId, retryOf, agent }, once('start'), meta)
        : await hold.write(opened, adopt(opened), meta)
    const attempt = run.attempt > 1 ? `, attempt ${run.attempt}` : ''
    const unknown = specId !== undefined && run.specVersion === null ? ` There is no spec '${specId}' yet.` : ''
    return {
      text: `${run.runId} is ${opened === undefined ? 'started' : 'yours, opened by your session'}${attempt}.${unknown}`,
      data: { runId: run.runId, status: run.status, attempt: run.attempt, specVersion: run.specVersion },
    }
  },
})

export const logRun = tool({
  name: 'log_run',
  description: 'Append progress, decisions or findings (markdown) to a run.',
  annotations: adds,
  input: z.strictObject({ text: words, runId, features }),
  output: z.object({ runId: z.string(), status: z.string() }),
  async run(call, input) {
    const runId = input.runId ?? (await call.hold.only(call.meta))
    const run = await append(call, runId, `${input.text}${input.text.endsWith('\n') ? '' : '\n'}`)
    await link(call, runId, input.features)
    return { text: `Logged to ${runId}.`, data: { runId, status: run.status } }
  },
})

export const finishRun = tool({
  name: 'finish_run',
  description: 'End a run as completed or failed. Record its checks first.',
  annotations: changes,
  input: z.strictObject({
    status: runStatus.extract(['completed', 'failed']),
    summary: words.describe('What was done, or why it failed'),
    runId,
    features,
  }),
  output: z.object(outcomeFields),
  async run(call, { status, summary, features, ...input }) {
    const { client, hold } = call
    const runId = input.runId ?? (await call.hold.only(call.meta))
    const isRecorded = hold.isRecorded(runId)
    // If the agent does not end the run itself, only the text can carry its outcome.
    const outcomeWords = isRecorded && status === 'failed' ? 'It failed. ' : ''
    const chapter = `\n## Summary\n\n${outcomeWords}${summary}\n`
    const { run: before } = await client.getRun({ runId })
    // Finishing twice must not repeat the text.
    if (!before.content.endsWith(chapter)) await append(call, runId, chapter)
    await link(call, runId, features)
    const failure = status === 'failed' ? { code: 'FAILED', message: firstBytes(summary, failureBytes) } : null
    if (isRecorded) hold.leave(runId, failure)
    const run = isRecorded ? await hold.renew(runId, call.meta) : await ended(call, runId, status, failure)
    hold.finished(runId)
    const result = isRecorded ? `has your summary and ends with your session` : `is ${status}`
    return { text: `${runId} ${result}; ${verdictText(run)}.`, data: outcome(run) }
  },
})

async function ended(
  { client, hold, meta, once }: ToolContext,
  runId: string,
  status: 'completed' | 'failed',
  failure: Run['failure'],
) {
  const end = (leaseToken: string | undefined) =>
    client.updateRun({ runId, status, failure, leaseToken }, once('finish'))
  return (await hold.write(runId, end, meta)).run
}

export const recordCheck = tool({
  name: 'record_check',
  description:
    'Record the result of a check that you really ran (tests, lint, review). It is your claim, unless a recorder saw it.',
  annotations: adds,
  input: z.strictObject({
    name: checkName.describe('Same name again replaces your claim'),
    result: checkResult,
    command: checkInput.command.unwrap().unwrap().optional(),
    exitCode: checkInput.exitCode.unwrap().unwrap().optional(),
    durationMs: checkInput.durationMs.unwrap().unwrap().optional(),
    content: words.optional().describe('Output or findings'),
    runId,
  }),
  output: z.object({ checkId: z.string(), ...outcomeFields }),
  async run(call, { runId: named, ...fields }) {
    const { client, hold, agent, meta, once } = call
    await hold.caughtUp(meta)
    const runId = named ?? (await hold.only(meta))
    const seen = await seenCheck(call, runId, fields)
    if (seen) {
      const run = await hold.renew(runId, meta)
      const text = `${seen.checkId}: ${seen.name} ${seen.result}, as a recorder saw. ${runId} is ${verdictText(run)}.`
      return { text, data: { checkId: seen.checkId, ...outcome(run) } }
    }
    const { isElsewhere, ...work } = hold.work(meta)
    // A session whose run is not in the ledger yet may all the same check another run.
    const own = named === undefined ? runId : await hold.session(meta).catch(() => undefined)
    if (runId === own && !isElsewhere) await follow(call, runId, work)
    const { check } = await client.createCheck({ ...fields, ...work, runId, agent }, once('check'))
    const run = await hold.renew(runId, meta)
    const hint =
      check.evidence === 'self' ? ' This is only your claim: a recorder sees what you run in its session.' : ''
    return {
      text: `${check.checkId}: ${check.name} ${check.result}. ${runId} is ${verdictText(run)}.${hint}`,
      data: { checkId: check.checkId, ...outcome(run) },
    }
  },
})

type Claim = Pick<Input<'createCheck'>, 'name' | 'result' | 'command' | 'content'> & { name: string }

/**
 * The check of the current work that a recorder made of that command, with that result; undefined if it saw none. The
 * findings are added to it, if this key may.
 */
async function seenCheck(call: ToolContext, runId: string, { name, result, command, content }: Claim) {
  const { checks } = await call.client.listChecks({ runId, name, limit: shown })
  const isSame = (ran: string | null) => command === undefined || (ran !== null && sameCommand(ran, command ?? ''))
  const seen = checks.find((check) => check.recorder !== null && isSame(check.command))
  if (!seen?.current || seen.result !== result) return undefined
  if (content !== undefined) {
    await addFindings(call, seen.checkId, content).catch((error) => {
      if (!(error instanceof ConductError)) throw error
    })
  }
  return seen
}

/** Adds an agent's findings below what the recorder noted. */
async function addFindings({ client, once }: ToolContext, checkId: string, findings: string): Promise<void> {
  const { check } = await client.getCheck({ checkId })
  if (check.content.includes(findings)) return
  const content = check.content === '' ? findings : `${check.content}\n\n${findings}`
  await client.updateCheck({ checkId, content }, once('findings'))
}

/**
 * Brings the git state of the agent's own run up to date, so that its verdict is about the files that were checked. What
 * records the run does so later.
 */
async function follow({ client, hold, meta, once }: ToolContext, runId: string, work: Omit<CheckGit, 'isElsewhere'>) {
  const { git } = await hold.renew(runId, meta)
  if (!git?.tree || !work.tree || git.tree === work.tree) return
  const tell = (leaseToken: string | undefined) =>
    client.updateRun({ runId, git: { ...git, ...work, uncommitted: null }, leaseToken }, once('work'))
  await hold.write(runId, tell, meta).catch((error) => {
    // The check is recorded all the same.
    if (!(error instanceof ConductError)) throw error
  })
}

export const saveSpec = tool({
  name: 'save_spec',
  description: 'Save what to build. An existing specId gets a new version; earlier versions stay.',
  annotations: changes,
  input: z.strictObject({
    specId: humanId.optional().describe('Default: the next SPEC-n'),
    title: specInput.title.unwrap().unwrap(),
    content: words.describe('Markdown; `- [ ]` items are its checklist'),
  }),
  output: z.object({
    specId: z.string(),
    version: z.int(),
    status: z.string(),
    checklist: z.object({ total: z.int(), done: z.int() }),
  }),
  async run(call, { specId, ...fields }) {
    const { spec, deed } = await save(call, specId, fields)
    const { total, done } = spec.checklist
    return {
      text: `${spec.specId} ${deed}, version ${spec.version}${total > 0 ? `, ${done} of ${total} items done` : ''}.`,
      data: { specId: spec.specId, version: spec.version, status: spec.status, checklist: spec.checklist },
    }
  },
})

async function save(
  { client, agent, once }: ToolContext,
  specId: string | undefined,
  fields: { title: string; content: string },
) {
  const create = async () => ({
    ...(await client.createSpec({ specId, ...fields, agent }, once('create'))),
    deed: 'created',
  })
  if (specId === undefined) return create()
  const update = async () => ({ ...(await client.updateSpec({ specId, ...fields }, once('update'))), deed: 'updated' })
  // Another caller may create or delete it between our two calls.
  return update().catch(instead('NOT_FOUND', create)).catch(instead('CONFLICT', update))
}

/** Falls back to another call after an error with that code. */
const instead =
  <T>(code: ConductError['code'], otherwise: () => Promise<T>) =>
  (error: unknown): Promise<T> => {
    if (error instanceof ConductError && error.code === code) return otherwise()
    throw error
  }

async function append({ client, hold, meta, once }: ToolContext, runId: string, text: string): Promise<Run> {
  const put = (leaseToken: string | undefined) => client.appendToRun({ runId, text, leaseToken }, once('append'))
  return (await hold.write(runId, put, meta)).run
}

async function link({ client, once }: ToolContext, runId: string, names: string[] | undefined) {
  if (!names?.length) return
  await client.linkFeatures({ runId, features: names.map((name) => ({ name })) }, once('link'))
}

const outcome = ({ runId, status, verdict, evidence }: Run) => ({ runId, status, verdict, evidence })
