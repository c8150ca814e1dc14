import { execFile } from 'node:child_process'
import { cpSync, existsSync, globSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './built.ts'

const run = promisify(execFile)
const sources = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'README.md', 'LICENSE', 'src', 'scripts']

/**
 * Makes the tarball to publish in a folder outside any `node_modules`, and returns its path. It packs a copy, so that a
 * build in use stays unchanged.
 */
export async function packInto(folder: string): Promise<string> {
  const copy = join(folder, 'copy')
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] }
  for (const path of [...sources, ...files]) {
    if (path !== 'dist' && existsSync(join(root, path))) cpSync(join(root, path), join(copy, path), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  // The build notes the commit.
  await run('git', ['init', '-q'], { cwd: copy })
  const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.com']
  await run('git', [...author, 'commit', '-q', '--allow-empty', '-m', 'Packed'], { cwd: copy })
  await run('npm', ['pack', '--pack-destination', folder], { cwd: copy })
  rmSync(copy, { recursive: true })
  const [tarball] = globSync('*.tgz', { cwd: folder })
  return join(folder, String(tarball))
}
