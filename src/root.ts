import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The nearest folder with a package.json. Bun has no `findPackageJSON` in `node:module`. */
const packageOf = (folder: string): string =>
  existsSync(join(folder, 'package.json')) ? folder : packageOf(dirname(folder))

/** The root folder of this package, wherever the build puts this code. */
export const root = packageOf(import.meta.dirname)

/** Whether this code runs from its sources, without a build. */
export const isSource = import.meta.filename.endsWith('.ts')
