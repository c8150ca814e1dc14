import { execFile } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { builtOf, root } from './built.ts'

/** What it reads beside its code. */
const read = ['package.json', 'openapi.json']

/** The program, compiled as it is in the package, which spares each start a third of its time. */
const folder = await builtOf('program', ['src/**/*.ts', 'tsconfig*.json', ...read], async (folder) => {
  for (const file of read) copyFileSync(join(root, file), join(folder, file))
  const tsc = join(root, 'node_modules/.bin/tsc')
  const options = ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(folder, 'dist'), '--declaration', 'false']
  await promisify(execFile)(tsc, options)
})

/** What `conduct` starts. */
export const main = join(folder, 'dist/cli/main.js')
