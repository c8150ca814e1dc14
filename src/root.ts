import { findPackageJSON } from 'node:module'
import { dirname } from 'node:path'

/** The root folder of this package, wherever the build puts this code. */
export const root = dirname(findPackageJSON(import.meta.url) as string)

/** Whether this code runs from its sources, without a build. */
export const isSource = import.meta.filename.endsWith('.ts')
