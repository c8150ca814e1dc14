import { type Recorder, walk } from './transcript.ts'

/** Runs that are too old for what a project keeps, and a project that goes with all that is in it. */
export async function retention({ call, wait }: Recorder) {
  for (const given of [
    ...[{ contentDays: 1 }, { contentDays: 1, runDays: 1 }, { runDays: 0 }, { keep: { labels: ['ä'] } }],
    ...[{ contentDays: 1, runDays: 2, keep: { failed: true, labels: ['keep'] } }, { nope: 1 }, 'soon', null],
  ]) {
    await call('updateProject', { slug: 'shop', retention: given })
    await call('forget', { dryRun: true, retention: given }, { project: 'shop' })
  }
  for (const runId of ['F-1', 'F-2']) {
    const labels: Record<string, string> = runId === 'F-1' ? {} : { keep: 'me' }
    const run = { runId, title: 'vergangen', content: 'vergangen', status: 'completed', labels }
    await call('createRun', run, { project: 'shop' })
    await call('appendTurn', { runId, prompt: 'vergangen' }, { project: 'shop' })
  }
  await call('updateProject', { slug: 'shop', retention: { contentDays: 1, runDays: 2, keep: { labels: ['keep'] } } })
  for (const ms of [0, 90_000_000, 90_000_000]) {
    wait(ms)
    for (const dryRun of [true, undefined]) await call('forget', { dryRun }, { project: 'shop' })
    for (const runId of ['F-1', 'F-2']) await call('getRun', { runId }, { project: 'shop' })
  }
  await call('forget', { cursor: 'nonsense' })
  for (const confirm of [undefined, '', 'Shop', 'shop', 'shop']) await call('deleteProject', { slug: 'shop', confirm })
  await call('deleteProject', { slug: 'default', confirm: 'default' })
  await call('listRuns', {}, { project: 'shop' })
  await call('createProject', { slug: 'shop' })
  await call('listRuns', {}, { project: 'shop' })
  await walk(call, 'listProjects', { limit: 3 })
}
