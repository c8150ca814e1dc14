import { isSource } from '../root.ts'

/** How people call this program: `conduct`, or by npm in the folder of a checkout, where there is no such command. */
export const called = isSource ? 'npm run conduct --' : 'conduct'
