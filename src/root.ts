import { findPackageJSON } from 'node:module'
import { dirname } from 'node:path'

/** The folder of this package, wherever in it the build has put this code. */
export const root = dirname(findPackageJSON(import.meta.url) as string)

/** Whether this code is run as it was written, without a build. */
export const isSource = import.meta.filename.endsWith('.ts')
