import assert from 'node:assert/strict'
import { test } from 'node:test'
import { socketIn } from '../../src/system/socket.ts'
import fc from '../support/random.ts'

const pipeOf = (folder: string) => socketIn(folder, 'recorder', 'windows')

test('on POSIX, a program listens on a socket in the folder', () => {
  assert.equal(
    socketIn('/home/me/.local/state/conduct', 'recorder', 'posix'),
    '/home/me/.local/state/conduct/recorder.sock',
  )
})

test('on Windows, a program listens on a pipe that every spelling of the folder names', () => {
  const folder = 'C:\\Users\\Me\\.local\\state\\conduct'
  const pipe = pipeOf(folder)
  for (const other of [folder.toUpperCase(), folder.replaceAll('\\', '/'), `${folder}\\`, `${folder}\\x\\..`]) {
    assert.equal(pipeOf(other), pipe)
  }
})

test('each folder has its own pipe, with a name that Windows takes', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9 äß.'%&-]{1,60}$/)
  fc.assert(
    fc.property(name, name, (one, other) => {
      const [pipe, another] = [one, other].map((user) => pipeOf(`C:\\Users\\${user}\\state`)) as [string, string]
      assert.match(pipe, /^\\\\\.\\pipe\\[^\\/]+$/)
      assert.ok(pipe.length <= 256)
      const isSame = new Set([one, other].map((user) => user.toLowerCase().replace(/[. ]+$/, ''))).size === 1
      if (!isSame) assert.notEqual(pipe, another)
    }),
  )
})
