import { Command } from 'commander'
import { type Client, ConductError } from '../../client/client.ts'
import { type LocalPlace, type OpenLedger, openLedger, placeOf, shownPlace } from '../../place/connect.ts'
import { lacksProject } from '../../place/missing.ts'
import { UsageError } from '../../terminal/exit.ts'
import { whileWaiting } from '../../terminal/interactive.ts'
import { addCommon, addExamples, type Common } from '../../terminal/option.ts'
import { called } from '../../terminal/text.ts'
import { agents, people, persons, repository, type TeamMember } from '../demo/data.ts'
import { goOn } from '../demo/going.ts'
import { type Story, storyOf } from '../demo/story.ts'
import { pairs, printJson } from '../show/print.ts'

const { env } = process
const demoProject = 'demo'

interface Options extends Common {
  live?: boolean
}

/** `conduct demo`: fills a project with a month of a small team's work. */
export function demoCommand(): Command {
  const command = new Command('demo').description(
    'Fill a project of the local database with a sample month of a small team',
  )
  command.option('--live', 'keep writing to the live runs until Ctrl-C')
  addCommon(command)
  addExamples(command, ['conduct demo --profile local'])
  return command.action(demo)
}

async function demo(options: Options) {
  const project = options.project ?? demoProject
  const place = placeOf({ ...options, project }, env, process.cwd())
  if (place.kind === 'server') {
    throw new UsageError(
      `The demo sets times in the past, which only the local database allows, and ${shownPlace(place)} is a server. On the machine of the server: conduct demo --profile local`,
    )
  }
  await fill(place, project, options)
}

async function fill(place: LocalPlace, project: string, options: Options) {
  const began = Date.now()
  /** The present as the ledger sees it; undefined for the real one. */
  let then: number | undefined
  await using ledger = await openLedger(place, env, () => then ?? Date.now())
  await refuseUsed(ledger.as({}), project)
  const story = storyOf()
  let percent = 0
  const tell = async () => {
    then = began + story.begins
    const team = await teamIn(ledger, project)
    for (const { at, act } of story.steps) {
      then = began + at
      await act(team)
      percent++
    }
    then = undefined
    return team
  }
  const team = await whileWaiting(() => `Writing the month: ${percent} of ${story.steps.length} steps`, tell())
  await report(ledger.as({ project }), project, story, options)
  if (options.live) await goOn(team, story.live)
}

/** Throws CONFLICT if the project has runs or specs. */
async function refuseUsed(client: Client, project: string) {
  if (await lacksProject(client, project)) return
  const [{ runs }, { specs }] = await Promise.all([
    client.listRuns({ project: [project], limit: 1 }),
    client.listSpecs({ project: [project], limit: 1 }),
  ])
  if (runs.length + specs.length === 0) return
  throw new ConductError(
    'CONFLICT',
    `The project '${project}' already has runs or specs. To start over, use another project (conduct demo --project ${project}-2), ` +
      'or a database that you can delete: CONDUCT_DATABASE_URL=sqlite:demo.db conduct demo',
  )
}

/** Creates the project, and a client for each member with a key for this project only. */
async function teamIn(ledger: OpenLedger, project: string): Promise<Record<TeamMember, Client>> {
  const local = ledger.as({})
  await local.createProject({ slug: project, name: 'Harbor', repository }).catch((error) => {
    // An existing project is fine if it is empty.
    if (!(error instanceof ConductError) || error.code !== 'CONFLICT') throw error
  })
  const member = async (
    name: TeamMember,
    permission: 'agent' | 'write',
    person?: string,
  ): Promise<[TeamMember, Client]> => {
    const { secret } = await local.createKey({ name, permissions: [permission], project, person })
    return [name, ledger.as({ key: secret })]
  }
  const team: [TeamMember, Client][] = []
  for (const name of people) team.push(await member(name, 'write', persons[name]))
  for (const name of Object.keys(agents) as (keyof typeof agents)[])
    team.push(await member(name, 'agent', persons[agents[name].of]))
  team.push(await member('ci', 'agent'))
  return Object.fromEntries(team) as Record<TeamMember, Client>
}

async function report(client: Client, project: string, { live }: Story, { json, quiet }: Options) {
  const counts = { runs: 0, specs: 0, checks: 0, features: 0 }
  for await (const _ of client.all('listRuns', { limit: 100 })) counts.runs++
  for await (const _ of client.all('listSpecs', { limit: 100 })) counts.specs++
  for await (const _ of client.all('listChecks', { limit: 100 })) counts.checks++
  for await (const _ of client.all('listFeatures', { limit: 100 })) counts.features++
  const answer = { project, ...counts, live: live.map(({ runId }) => runId) }
  if (json) return printJson(answer)
  if (quiet) return process.stdout.write(`${project}\n`)
  process.stdout.write(`${pairs(Object.entries(answer).map(([name, value]) => [name, [value].flat().join(', ')]))}\n`)
  process.stderr.write(
    `To see it: ${called} open, while ${called} serve runs, or ${called} run list --project ${project}\n`,
  )
}
