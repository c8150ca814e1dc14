import { isSource } from '../root.ts'

/**
 * How users call this program: `conduct`, or through npm in a checkout, where there is no such command. Without
 * `--silent`, npm prints a heading into the output.
 */
export const called = isSource ? 'npm run --silent conduct --' : 'conduct'
