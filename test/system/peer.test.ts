import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { ownerOf, showsOwners } from '../../src/system/peer.ts'
import { userId } from '../../src/system/system.ts'

test('the owner of a connection is found by both of its ports and its address', { skip: !showsOwners }, async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  for (const localAddress of ['127.0.0.1', '127.0.0.2']) {
    const client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, localAddress })
    t.after(() => client.destroy())
    const [{ localPort, remotePort, remoteAddress }] = (await once(server, 'connection')) as [Socket]
    const ends = { localPort, remotePort, remoteAddress }
    assert.equal(remoteAddress, localAddress)
    assert.equal(ownerOf(ends), userId)
    assert.equal(ownerOf({ ...ends, remoteAddress: `::ffff:${remoteAddress}` }), userId)
    // What another user could connect from, by the same port.
    assert.equal(ownerOf({ ...ends, remoteAddress: '127.0.0.3' }), undefined)
    assert.equal(ownerOf({ ...ends, remotePort: 1 }), undefined)
  }
})
