import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { conductOnPath } from '../../src/place/program.ts'
import { freshFolder } from './folder.ts'
import { conductHere } from './program.ts'
import { workplace } from './session.ts'
import { writeFiles } from './user.ts'

const bin = fileURLToPath(new URL('../../bin/conduct.cjs', import.meta.url))

/** A PATH whose first folder has a `conduct` with that text, or a link to it. */
function pathWith(t: TestContext, text: string, at = 'bin/conduct') {
  const folder = freshFolder(t)
  writeFiles(folder, { [at]: text })
  chmodSync(join(folder, at), 0o755)
  mkdirSync(join(folder, 'bin'), { recursive: true })
  if (at !== 'bin/conduct') symlinkSync(join(folder, at), join(folder, 'bin/conduct'))
  return { folder, PATH: `${join(folder, 'bin')}:${process.env.PATH}` }
}

test('our own program is known by its package, through links and launchers', (t) => {
  const link = freshFolder(t)
  symlinkSync(bin, join(link, 'conduct'))
  const launcher = `#!/bin/sh\nnode='/usr/bin/node'\nexec "$node" '${bin}' "$@"\n`
  const shim = '#!/bin/sh\nexec node "$basedir/../conduct-ledger/bin/conduct.cjs" "$@"\n'
  for (const PATH of [link, pathWith(t, launcher).PATH, pathWith(t, shim).PATH]) {
    const found = conductOnPath({ PATH })
    assert.ok(found.path)
    assert.equal(found.other, undefined)
  }
  assert.deepEqual(conductOnPath({ PATH: '' }), {})
})

test('another program of that name is said to be whose it is', (t) => {
  const python = '#!/usr/bin/python3\nimport sys\nfrom conduct_cli.main import app\nsys.exit(app())\n'
  const pip = pathWith(t, python)
  assert.match(conductOnPath(pip).other ?? '', /bin\/conduct belongs to the Python package conduct_cli, so hooks/)
  const npm = pathWith(t, '#!/usr/bin/env node\n', 'lib/node_modules/conduct-cli/cli.js')
  writeFiles(npm.folder, { 'lib/node_modules/conduct-cli/package.json': '{ "name": "conduct-cli" }' })
  assert.match(conductOnPath(npm).other ?? '', /belongs to the npm package conduct-cli/)
  assert.match(conductOnPath(pathWith(t, '\x7fELF')).other ?? '', /is another program of that name/)
})

test('doctor and init name a foreign program, and do not run it', async (t) => {
  const { env, cwd } = workplace(t)
  const { PATH, folder } = pathWith(t, '#!/bin/sh\ntouch "$0.ran"\n')
  const more = { ...env, PATH }
  const { stdout: written } = await conductHere(['init', '--yes', '--agents', 'claude'], more, cwd)
  assert.match(written, /But .*bin\/conduct is another program of that name/)
  const { stdout } = await conductHere(['doctor'], more, cwd)
  assert.match(stdout, /warn .*program .*bin\/conduct is another program of that name/)
  assert.throws(() => chmodSync(join(folder, 'bin/conduct.ran'), 0o600))
})
