import { Command, Option } from 'commander'
import type { CallOptions, Client, Output } from '../../client/client.ts'
import { unlessMissing } from '../../contract/error.ts'
import { type News, newsOf, newsTypes, type RunOf, sentenceOf } from '../../contract/news.ts'
import { mailOf } from '../../contract/person.ts'

import { type Connection, connect, placeOf } from '../../place/connect.ts'
import type { Place } from '../../place/place.ts'
import { UsageError } from '../../terminal/exit.ts'
import { addCommon, addExamples, type Common } from '../../terminal/option.ts'
import { jsonOf, line } from '../../text/clean.ts'
import { withClient } from '../operation/call.ts'
import { follow } from '../operation/print.ts'

interface Options extends Common {
  mine?: true
  bell: boolean
}

/** `conduct watch`: prints a line when a run waits, goes wrong or ends, until Ctrl-C. */
export function watchCommand(): Command {
  const command = new Command('watch')
    .description('Say when an agent waits for you, fails or is done, until Ctrl-C')
    .addOption(new Option('--mine', 'only your runs: those of the person that your key names'))
    .addOption(new Option('--no-bell', 'do not ring the bell of the terminal when an agent waits or fails'))
  addCommon(command)
  addExamples(command, ['conduct watch', 'conduct watch --mine --project shop'], 'console')
  return command.action((options: Options) => watch(options))
}

async function watch(options: Options) {
  // Without --project, it watches all projects that the key sees.
  const place = { ...placeOf(options, process.env, process.cwd()), project: undefined }
  const { project } = options
  await withClient(place, async (client) => {
    const mail = options.mine ? await ownMail(client) : undefined
    const runs = readRuns(place)
    const input = { type: [...newsTypes], ...(project !== undefined && { project: [project] }) }
    try {
      await follow(client, input, async (event, more) => {
        const run = newsOf(event) && (await runs.read(event, more))
        const news = newsOf(event, run)
        if (news && run && (mail === undefined || mailOf(run.author) === mail)) print(event.at, news, run, options)
      })
    } finally {
      await runs.close()
    }
  })
}

async function ownMail(client: Client): Promise<string> {
  const mail = mailOf((await client.me()).person)
  if (mail !== undefined) return mail
  throw new UsageError('--mine needs a key that names a person: an admin sets it with conduct key update --person.')
}

interface RunEvent {
  project: string | null
  subject: string
}

type Run = Pick<Output<'getRun'>['run'], 'runId' | 'project' | 'title' | 'agent' | 'author'> & RunOf

/** Reads the runs of events, with one connection for each project. */
function readRuns(place: Place) {
  const connections = new Map<string, Promise<Connection>>()
  return {
    /** The run of an event; what the event itself says of one that is gone. A server that is away is waited for. */
    async read({ project, subject: runId }: RunEvent, options: CallOptions): Promise<Run | undefined> {
      if (project === null) return undefined
      const connection =
        connections.get(project) ?? connect({ ...place, project }, process.env, { attempts: Number.POSITIVE_INFINITY })
      connections.set(project, connection)
      const { client } = await connection
      const found = await client.getRun({ runId }, options).catch(unlessMissing)
      return found?.run ?? { runId, project, title: null, agent: null, author: null }
    },
    async close() {
      for (const connection of connections.values()) await (await connection).close()
    },
  }
}

/** The news for which the bell rings. */
const urgent: readonly News['kind'][] = ['waiting', 'failing', 'failed', 'vanished']

function print(at: string, news: News, run: Run, options: Options) {
  const { runId, project, title, agent, author } = run
  const { json, quiet, utc, bell } = options
  if (json) {
    process.stdout.write(`${jsonOf({ at, ...news, project, runId, title, agent, author })}\n`)
    return
  }
  if (quiet) {
    process.stdout.write(`${runId}\n`)
    return
  }
  const time = utc ? at : new Date(at).toLocaleTimeString('en-GB')
  const name = options.project === undefined ? `${project}/${runId}` : runId
  const words = [sentenceOf(news, run, name), title ?? ''].filter(Boolean).join(' · ')
  const ring = bell && process.stdout.isTTY && urgent.includes(news.kind) ? '\x07' : ''
  process.stdout.write(`${time}  ${line(words)}${ring}\n`)
}
