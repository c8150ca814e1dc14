import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { placeOf } from '../../place/connect.ts'
import { projectOf } from '../../place/project.ts'
import { UsageError } from '../../terminal/exit.ts'
import { addExamples, addPlace, type Common } from '../../terminal/option.ts'
import { documentsIn } from './documents.ts'
import { openTarget, requireAdmin } from './ledger.ts'
import { createReporter, print } from './report.ts'
import { bundleFolder, importBundles } from './v0-bundles.ts'
import { trackFile } from './v0-entries.ts'
import { importTrack } from './v0-track.ts'

/** `conduct import conduct-v0`: imports the ledger of the earlier Conduct. */
export function v0Command(): Command {
  const command = new Command('conduct-v0').description('Import a ledger of the earlier Conduct')
  command.argument('<folder>', `the folder with ${trackFile} or ${bundleFolder}`)
  command.option('--dry-run', 'count what is new, and write nothing')
  command.option('--json', 'as JSON')
  addPlace(command)
  addExamples(command, ['conduct import conduct-v0 . --dry-run'], 'console')
  return command.action(run)
}

async function run(folder: string, { dryRun = false, ...options }: Common & { dryRun?: boolean }): Promise<void> {
  const [hasTrack, hasBundles] = [trackFile, bundleFolder].map((name) => existsSync(join(folder, name)))
  if (!hasTrack && !hasBundles) {
    throw new UsageError(
      `${folder} has neither ${trackFile} nor ${bundleFolder}: name the folder that has one of them.`,
    )
  }
  const { env } = process
  const named = placeOf(options, env, folder)
  const project = options.project ?? projectOf(resolve(folder))
  const place = { ...named, project: undefined }
  const report = createReporter(dryRun, { specs: 0, runs: 0, checks: 0, features: 0 })
  await using target = await openTarget(place, env)
  if (!dryRun) {
    await requireAdmin(target, place)
    await target.ensure(project)
  }
  const context = { client: target.in(project), documents: documentsIn(folder), dryRun, report }
  if (hasTrack) await importTrack(context)
  if (hasBundles) await importBundles(context)
  print(report.report, options)
}
