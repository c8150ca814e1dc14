import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { builtOf, madeOnce } from '../support/built.ts'
import { packInto } from '../support/packed.ts'

const run = promisify(execFile)
const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']

/**
 * The folder of the programs of an npm package, which is installed once and kept. Throws npm's message if npm cannot
 * install it.
 */
export async function installedAgent(packageName: string, version: string): Promise<string> {
  const name = `agent-${packageName.replaceAll(/[^a-z0-9-]+/g, '-')}-${version}`
  const folder = await madeOnce(name, async (draft) => {
    // Some packages unpack their program in an install script, which npm runs only for packages named here.
    const manifest = { private: true, allowScripts: { [packageName]: true } }
    writeFileSync(join(draft, 'package.json'), JSON.stringify(manifest))
    await run('npm', ['install', ...quiet, `${packageName}@${version}`], { cwd: draft })
  })
  return join(folder, 'node_modules/.bin')
}

const sources = [
  'src/**/*.*',
  'bin/*',
  'scripts/**/*.*',
  'package.json',
  'package-lock.json',
  'openapi.json',
  '*.md',
  'LICENSE',
]

/** The folder of `conduct`, installed by npm from a tarball of the current sources. */
export async function installedConduct(): Promise<string> {
  const folder = await builtOf('packed', sources, async (draft) => {
    const scratch = mkdtempSync(join(tmpdir(), 'conduct-packed-'))
    try {
      const tarball = await packInto(scratch)
      writeFileSync(join(draft, 'package.json'), '{ "private": true }')
      await run('npm', ['install', ...quiet, '--omit=dev', '--ignore-scripts', tarball], { cwd: draft })
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
  })
  return join(folder, 'node_modules/.bin')
}

/** The version in the package of an installed program. */
export function versionOf(bin: string, packageName: string): string {
  const path = join(bin, '..', packageName, 'package.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).version : 'unknown'
}
