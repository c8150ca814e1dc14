import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import pino from 'pino'
import { createClient } from '../src/client/client.ts'
import { serve } from '../src/http/serve.ts'
import { checkpointsIn, isSignedBy } from '../src/ledger/checkpoint.ts'
import { openStore } from '../src/store/open.ts'
import { freshFolder } from './cli/folder.ts'
import { engines } from './support/engines.ts'

for (const engine of engines) {
  test(`a server that stops seals the log and anchors the checkpoint (${engine.name})`, async (t) => {
    const { url } = await engine.ledger(t)
    const folder = freshFolder(t)
    const [file, copy] = [join(folder, 'anchors'), join(folder, 'copy')]
    const store = await openStore(url)
    const options = { host: '127.0.0.1', port: 0, anchorFile: file, anchorCommand: `cat >> '${copy}'` }
    const running = await serve({ ...options, store })
    const client = createClient({ url: running.url, key: store.newSecret })
    await client.createRun({ title: 'one' })
    const before = await client.getCheckpoint()
    await client.createRun({ title: 'two' })
    const { events } = await client.listEvents({})
    await running.stop()

    for (const path of [file, copy]) {
      const [checkpoint, ...others] = checkpointsIn(readFileSync(path, 'utf8'))
      assert.equal(checkpoint?.size, events.length, path)
      assert.ok(isSignedBy(checkpoint, before.verifierKey))
      assert.deepEqual(others, [])
    }
  })
}

test('a server says when a checkpoint cannot be anchored, and stops all the same', async (t) => {
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => void lines.push(line) })
  const store = await openStore('sqlite::memory:')
  const file = join(freshFolder(t), 'missing', 'anchors')
  const running = await serve({ host: '127.0.0.1', port: 0, anchorFile: file, anchorCommand: 'exit 3', store, log })
  await running.stop()
  assert.ok(!existsSync(file))
  assert.match(lines.join(''), /not appended to .*missing/)
})
