import { execFile } from 'node:child_process'
import { copyFileSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { builtOf, root } from './built.ts'

/** Files that it reads besides its code. */
const read = ['package.json', 'openapi.json']
const config = 'scripts/program.config.ts'

/** The program, bundled as in the package, which starts in two thirds of the time. */
const folder = await builtOf(
  'program',
  ['src/**/*.ts', 'bin/*', config, 'package-lock.json', ...read],
  async (folder) => {
    for (const file of read) copyFileSync(join(root, file), join(folder, file))
    cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true })
    const options = ['build', '--config', join(root, config), '--outDir', join(folder, 'dist')]
    await promisify(execFile)(join(root, 'node_modules/.bin/vite'), options)
  },
)

/** The program of the package. */
export const bin = join(folder, 'bin/conduct.cjs')

/** What it starts. */
export const main = join(folder, 'dist/cli/main.js')
