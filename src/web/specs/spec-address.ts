import { href } from '../app/router.ts'

/** Where a new spec is written, under an id that may be given. */
export const newSpecAddress = (project?: string, specId?: string) => href(['specs'], { view: 'new', project, specId })
