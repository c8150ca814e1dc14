import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { bundledIn } from '../scripts/licenses.ts'
import { type Bom, sbomOf } from '../scripts/release/sbom.ts'
import { missing } from '../scripts/release/tools.ts'
import { root } from '../src/root.ts'

const component = (name: string) => ({ 'bom-ref': `${name}@1.0.0`, name, version: '1.0.0' })

const bom: Bom = {
  serialNumber: 'urn:uuid:9a9c35a9-f575-472e-a58e-742a84bf3a78',
  metadata: { timestamp: '2026-11-29T20:20:20.910Z', component: { 'bom-ref': 'conduct@1.0.0', name: 'a-folder' } },
  components: ['pg', 'hono', 'vite'].map(component),
  dependencies: [
    { ref: 'conduct@1.0.0', dependsOn: ['hono@1.0.0', 'vite@1.0.0'] },
    { ref: 'vite@1.0.0', dependsOn: [] },
  ],
}

test('the SBOM of an artefact has what is in it, and neither time, serial number nor folder', () => {
  const made = sbomOf(bom, 'conduct-ledger', ['hono@1.0.0', 'pg@1.0.0'], [component('libc6')])
  assert.deepEqual(made, {
    metadata: { component: { 'bom-ref': 'conduct@1.0.0', name: 'conduct-ledger' } },
    components: ['hono', 'libc6', 'pg'].map(component),
    dependencies: [{ ref: 'conduct@1.0.0', dependsOn: ['hono@1.0.0'] }],
  })
})

test('a bundled package that npm does not know is an error', () => {
  assert.throws(() => sbomOf(bom, 'conduct-ledger', ['preact@1.0.0']), /preact@1\.0\.0/)
})

test('the bundled packages are read from the file of their licenses', () => {
  const text =
    '@a/b 1.2.3 (MIT)\n\nMIT License\n\nVersion 2.0 (the "License")\n\nc.js 4.0.0-beta.1 (BSD-3-Clause)\n\nText'
  assert.deepEqual(bundledIn(text), ['@a/b@1.2.3', 'c.js@4.0.0-beta.1'])
})

test('a missing tool is named with what it is for', () => {
  const path = process.env.PATH
  process.env.PATH = ''
  try {
    assert.match(
      missing('buildah', 'podman').join('\n'),
      /^buildah is missing, for the image.*\npodman is missing, for running the image/,
    )
  } finally {
    process.env.PATH = path
  }
})

test('the compose files start the image of this version', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const files = globSync('deploy/compose/*.yaml', { cwd: root })
  assert.equal(files.length, 2)
  for (const path of files) {
    assert.match(
      readFileSync(join(root, path), 'utf8'),
      new RegExp(`image: localhost/conduct:${version.replaceAll('.', '\\.')}\\n`),
      path,
    )
  }
})
