import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { placeOf } from '../../place/connect.ts'
import { foreignText, jsonIn } from '../../place/foreign.ts'
import { projectOf } from '../../place/project.ts'
import { UsageError } from '../../terminal/exit.ts'
import { addExamples, addPlace, type Common } from '../../terminal/option.ts'
import { openTarget, requireAdmin } from './ledger.ts'
import { createReporter, print } from './report.ts'
import { importTrack, trackFile } from './track.ts'

/** `conduct import conduct-v0`: imports the ledger of the earlier Conduct. */
export function v0Command(): Command {
  const command = new Command('conduct-v0').description(`Import the ${trackFile} of the earlier Conduct`)
  command.argument('<folder>', `the folder with ${trackFile}`)
  command.option('--dry-run', 'count what is new, and write nothing')
  command.option('--json', 'as JSON')
  addPlace(command)
  addExamples(command, ['conduct import conduct-v0 . --dry-run'], 'console')
  return command.action(run)
}

async function run(folder: string, { dryRun = false, ...options }: Common & { dryRun?: boolean }): Promise<void> {
  const track = readTrack(folder)
  const { env } = process
  const named = placeOf(options, env, folder)
  const project = options.project ?? projectOf(resolve(folder))
  const place = { ...named, project: undefined }
  const report = createReporter(dryRun, { specs: 0, runs: 0, checks: 0 })
  const target = await openTarget(place, env)
  try {
    if (!dryRun) {
      await requireAdmin(target, place)
      await target.ensure(project)
    }
    await importTrack(track, { client: target.in(project), folder, dryRun, report })
  } finally {
    await target.close()
  }
  for (const name of ['_conduct/operations', '_conduct/designs', '.conduct']) {
    if (existsSync(join(folder, name))) report.pass(name, undefined, 'this import does not read it')
  }
  print(report.report, options)
}

/** The largest tracker that we read. */
const trackerBytes = 8_388_608

function readTrack(folder: string): unknown {
  const path = join(folder, trackFile)
  try {
    const text = foreignText(path, { within: folder, most: trackerBytes })
    if (text === undefined) throw new Error('there is no such file')
    return jsonIn(text)
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${(error as Error).message}`)
  }
}
