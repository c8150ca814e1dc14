import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { load } from './load.ts'
import { atLeast, median, type Row } from './report.ts'
import { startConduct, startOwn, type Workplace } from './servers.ts'
import type { SpeedOptions } from './speed.ts'
import { seeded, seedOf, works } from './work.ts'

const addedUs = 500
const goals = { create: { bar: 3, hope: 4 }, append: { bar: 3.5, hope: 4 } }

/** Measures durable writes against the floor, both on a disk whose fsync takes half a millisecond longer. */
export async function measureSlowFsync(place: Workplace, { rounds, seconds }: SpeedOptions): Promise<Row[]> {
  const folder = place.folder()
  const shim = join(folder, 'slow-fsync.so')
  const source = fileURLToPath(new URL('slow-fsync.c', import.meta.url))
  const built = spawnSync('gcc', ['-shared', '-fPIC', '-O2', '-o', shim, source, '-ldl'], { encoding: 'utf8' })
  if (built.status !== 0) {
    return [
      {
        title: `writes at fsync +${addedUs / 1000} ms`,
        measured: 'left out: gcc is missing, or cannot build the shim',
      },
    ]
  }
  const env = { LD_PRELOAD: shim, SLOW_FSYNC_US: String(addedUs) }
  const floor = await place.server(startOwn('floor.ts', join(folder, 'floor.db'), env))
  const conduct = await place.server(startConduct(`sqlite:${join(folder, 'conduct.db')}`, { env }))
  for (const server of [floor, conduct]) await load(server.url, seedOf(server), { requests: seeded })
  const rows: Row[] = []
  for (const work of ['create', 'append'] as const) {
    const ratios: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const [least, ours] = [
        await load(floor.url, works[work](floor), { seconds }),
        await load(conduct.url, works[work](conduct), { seconds }),
      ]
      if (round > 0) ratios.push(ours.rate / least.rate)
    }
    rows.push(
      atLeast(`${work}, SQLite against the floor, fsync +${addedUs / 1000} ms`, median(ratios), '×', goals[work]),
    )
  }
  return rows
}
