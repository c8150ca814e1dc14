import { join, relative } from 'node:path'
import { Command } from 'commander'
import { ConductError } from '../../client/client.ts'
import { humanIdPattern } from '../../contract/id.ts'
import { type Connection, connect, placeOf } from '../../place/connect.ts'
import { type Env, homeOf } from '../../place/folders.ts'
import { jsonIn } from '../../place/foreign.ts'
import { conductOnPath } from '../../place/program.ts'
import { declaredProject, projectFile, projectOf } from '../../place/project.ts'
import { declaresChecks } from '../../place/rules.ts'
import { fieldsOf } from '../../recorder/agents/fields.ts'
import { type Install, installs as known } from '../../recorder/agents/install.ts'
import { UsageError } from '../../terminal/exit.ts'
import { addExamples, addPlace } from '../../terminal/option.ts'
import { clean } from '../../text/clean.ts'
import { listed } from '../../words.ts'
import { askFor, type FoundAgent, foundAgents, foundWords } from './ask.ts'
import { checkLines, proposedChecks } from './checks.ts'
import { type FileEdit, writeAll } from './edit.ts'
import { type InitPlan, planOf, rootOf, userPlanOf } from './project-files.ts'

interface Options {
  project?: string
  profile?: string
  agents?: string
  hooks: boolean
  checks: boolean
  user?: true
  remove?: true
  dryRun?: true
  yes?: true
}

/** `conduct init`: adds a project to the ledger, and hooks to the files of its agents. */
export function initCommand(): Command {
  const names = known.map(({ name }) => name).join(',')
  const command = new Command('init')
    .description('Set up this project, so its coding agents record themselves')
    .option('--project <slug>', 'the name of the project (default: from the git origin or the folder)')
    .option('--agents <names>', `for these agents: ${names} (default: those that init finds)`)
    .option('--no-hooks', 'write no hooks: sessions do not record themselves')
    .option('--no-checks', 'do not propose checks for conduct.json')
    .option('--user', 'only write hooks, to your own settings: for every project with a conduct.json')
    .option('--remove', 'remove what init wrote; the runs stay in the ledger')
    .option('--dry-run', 'show the changes as a patch, and change nothing')
    .option('-y, --yes', 'do not ask')
    .action((options: Options) => init(options, process.env, process.cwd()))
  addPlace(command, true)
  return addExamples(command, [
    'conduct init --dry-run',
    'conduct init --user --dry-run',
    'conduct init --remove --dry-run',
  ])
}

/** A patch that goes to a file must be exact. On a terminal, nothing from the project's files may act. */
function say(text: string) {
  process.stdout.write(`${process.stdout.isTTY ? clean(text) : text}\n`)
}

async function init(options: Options, env: Env, cwd: string) {
  const root = rootOf(cwd)
  const found = foundAgents(root, env)
  const agents = chosenAgents(options, found)
  if (options.agents === undefined && !options.remove) say(foundWords(found).join('\n'))
  if (options.user) return initUser(options, agents, homeOf(env), env)
  const wanted = await settled(wantedBy(options, root, agents), options)
  if (!wanted) return say('Nothing was written.')
  const edits = planOf(wanted)
  const folder = relative(cwd, root)
  if (options.dryRun) return say(`${folder && `In ${folder}:\n`}${await diffOf(edits, root)}`)
  writeAll(edits, root)
  say([summaryOf(edits, cwd, wanted.remove), ...renamedWords(edits, { root, cwd })].join('\n'))
  if (wanted.remove) return
  for (const line of checkLines(wanted.checks)) say(`check    ${line}`)
  // The files are written even if the ledger does not answer now.
  const place = placeOf({ ...options, project: wanted.project }, env, root)
  // The ledger does not know a project that we are about to create.
  await using connection = await connect({ ...place, project: undefined }, env)
  say(await projectIn(connection, wanted.project))
  say(whatNext(wanted, env))
}

/** `conduct init --user`: adds only the hooks, to the user's own settings. */
async function initUser(options: Options, agents: readonly Install[], home: string, env: Env) {
  if (options.project !== undefined || !options.hooks) {
    throw new UsageError('--user writes hooks only, and no project: leave out --project and --no-hooks')
  }
  const edits = userPlanOf(home, agents, options.remove === true)
  if (options.dryRun) return say(await diffOf(edits, home))
  writeAll(edits, home)
  say(summaryOf(edits, home, options.remove === true))
  if (!options.remove) say(userHooksWords(agents, env).join('\n'))
}

function chosenAgents({ agents, remove }: Options, found: FoundAgent[]): readonly Install[] {
  if (agents !== undefined) return [...new Set(agents.split(',').map(agentOf))]
  return remove ? known : found.map(({ install }) => install)
}

function wantedBy(
  { project, agents, hooks, checks, remove }: Options,
  root: string,
  chosen: readonly Install[],
): InitPlan {
  if (project !== undefined && !humanIdPattern.test(project)) {
    throw new UsageError(`--project '${project}' is not a slug: use letters, digits and . _ : -`)
  }
  return {
    root,
    project: project ?? projectOf(root),
    agents: chosen,
    hooks,
    checks: checks && !remove && !declaresChecks(root) ? proposedChecks(root) : {},
    remove: remove === true,
    whole: !remove || agents === undefined,
  }
}

function agentOf(name: string): Install {
  const agent = known.find((one) => one.name === name.trim())
  if (!agent) throw new UsageError(`--agents '${name}': must be one of ${known.map((one) => one.name).join(', ')}`)
  return agent
}

/** What to do after asking the person at the terminal; undefined if they want nothing. */
async function settled(wanted: InitPlan, { yes, dryRun, project, agents }: Options): Promise<InitPlan | undefined> {
  if (yes || dryRun || !process.stdin.isTTY || !process.stdout.isTTY) return wanted
  const isDeclared = project !== undefined || declaredProject(wanted.root) !== undefined
  return askFor(wanted, { project: !isDeclared && !wanted.remove, agents: agents === undefined && !wanted.remove })
}

/** The edits as a patch. */
async function diffOf(edits: FileEdit[], root: string): Promise<string> {
  if (edits.length === 0) return 'Nothing would change.'
  const { createTwoFilesPatch, FILE_HEADERS_ONLY } = await import('diff')
  const patches = edits.map(({ path, before, after }) => {
    const name = relative(root, path)
    const [from, to] = [before === undefined ? '/dev/null' : name, after === undefined ? '/dev/null' : name]
    return createTwoFilesPatch(from, to, before ?? '', after ?? '', undefined, undefined, {
      headerOptions: FILE_HEADERS_ONLY,
    })
  })
  return patches.join('\n').trimEnd()
}

/** What was done to each file, with its path as seen from a folder. */
function summaryOf(edits: FileEdit[], from: string, remove: boolean): string {
  if (edits.length === 0) return remove ? 'There is nothing to remove.' : 'The files are already up to date.'
  const lines = edits.map(({ path, before, after }) => {
    const did = after === undefined ? 'removed' : before === undefined ? 'wrote' : 'changed'
    return `${did.padEnd(8)} ${relative(from, path)}`
  })
  return lines.join('\n')
}

/** That an existing conduct.json names another project now; empty if it does not. */
function renamedWords(edits: FileEdit[], { root, cwd }: { root: string; cwd: string }): string[] {
  const path = join(root, projectFile)
  const { before, after } = edits.find((edit) => edit.path === path) ?? {}
  if (before === undefined || after === undefined) return []
  const [old, now] = [before, after].map((text) => fieldsOf(jsonIn(text)).project)
  return old === undefined || old === now
    ? []
    : [`The project in ${relative(cwd, path)} was '${old}'. Now it is '${now}'.`]
}

/** Creates the project if it is new and the key may do so. Returns what happened. */
async function projectIn({ client, place }: Connection, slug: string): Promise<string> {
  const where = place.kind === 'server' ? `on ${place.url}` : 'in the database of this machine'
  const isCode = (error: unknown, code: string) => error instanceof ConductError && error.code === code
  try {
    const { key } = await client.me()
    // A key of one project writes to that project, whatever the folder says.
    if (key?.project && key.project !== slug) {
      return `The key belongs to the project '${key.project}' ${where}: sessions will be recorded there.`
    }
    await client.getProject({ slug })
    return `The project '${slug}' exists ${where}.`
  } catch (error) {
    if (!isCode(error, 'NOT_FOUND')) throw error
  }
  try {
    await client.createProject({ slug })
  } catch (error) {
    if (isCode(error, 'FORBIDDEN')) {
      return `The project '${slug}' does not exist ${where}, and this key cannot create it: ask an admin for the project, or for a key of it.`
    }
    if (!isCode(error, 'CONFLICT')) throw error
  }
  return `Created the project '${slug}' ${where}.`
}

function whatNext({ agents, hooks }: InitPlan, env: Env): string {
  if (agents.length === 0) {
    return 'init found no coding agent, so no session will be recorded: name the agents of your team with --agents.'
  }
  const titles = listed(agents.map(({ title }) => title))
  if (!hooks) return `${titles}: wrote the MCP server, but no hooks.`
  return [
    '',
    ...hooksWords(agents, env),
    `Commit the files. Conduct records the next session of ${titles}: conduct run list`,
  ].join('\n')
}

const hooksWords = (agents: readonly Install[], env: Env): string[] => [
  ...agents.map(({ trust }) => trust),
  ...programWords('The hooks and the MCP server', env, {
    here: '; each teammate needs it there too',
    missing: '; you and each teammate need it there',
  }),
  'On Windows, some agents run no hooks of a project: run conduct init --user there.',
]

const userHooksWords = (agents: readonly Install[], env: Env): string[] => [
  ...agents.map(({ trust, userTrust = trust }) => userTrust),
  ...programWords('The hooks', env, { here: '', missing: '; put it there' }),
]

/** What hooks need, and what to do about it if the PATH has it here, and if it does not. */
function programWords(what: string, env: Env, then: { here: string; missing: string }): string[] {
  const { path, other } = conductOnPath(env)
  const isHere = path !== undefined
  return [
    `${what} run conduct-ledger, which comes with conduct. Without it, the hooks do nothing.`,
    other === undefined
      ? `It is ${isHere ? '' : 'not '}on your PATH${isHere ? then.here : then.missing}.`
      : `But ${other}.`,
  ]
}
