import { test } from 'node:test'
import { openState } from '../../src/capture/spool/state.ts'
import { engines, openLedger } from '../support/engines.ts'
import { play, randomOf, requireApart, worldOf } from './sessions.ts'
import { seed, size } from './size.ts'

const place = { kind: 'local', databaseUrl: 'sqlite:/conduct.db', project: 'shop' } as const

for (const engine of engines) {
  test(`the work of simultaneous agents is in the run of the agent that did it (${engine.name})`, async (t) => {
    const { client: admin, as } = await openLedger(t, engine)
    let written = 0
    for (let schedule = 0; schedule < size(5, 250); schedule++) {
      const project = `shop-${schedule}`
      await admin.createProject({ slug: project })
      const state = openState(':memory:')
      const world = worldOf(as({ project }), state, place, randomOf(seed * 1_000 + schedule))
      try {
        await play(world, 60)
        await requireApart(world)
      } catch (error) {
        throw new Error(`schedule ${schedule} of CONDUCT_TEST_SEED=${seed}: ${(error as Error).message}`, {
          cause: error,
        })
      }
      written += world.sessions.reduce((sum, { marks }) => sum + marks.length, 0)
      state.close()
    }
    t.diagnostic(`${written} writes of agents`)
  })
}
