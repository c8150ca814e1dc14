import { isSource } from '../root.ts'

/** How users call this program: `conduct`, or through npm in a checkout, where there is no such command. */
export const called = isSource ? 'npm run conduct --' : 'conduct'
