import { href } from '../app/router.ts'

/** The address for writing a new spec, optionally with its id. */
export const newSpecAddress = (project?: string, specId?: string) => href(['specs'], { view: 'new', project, specId })
