import { type TestContext, test } from 'node:test'
import { type Engine, engines } from '../support/engines.ts'

/**
 * A proof on every engine. The empty database is removed only after everything that the proof has started has ended.
 */
export function prove(name: string, body: (t: TestContext, url: string, engine: Engine) => Promise<void>) {
  for (const engine of engines) {
    test(`${name} (${engine.name})`, async (t) => {
      const { url } = await engine.ledger(t)
      await t.test('proof', (t) => body(t, url, engine))
    })
  }
}
