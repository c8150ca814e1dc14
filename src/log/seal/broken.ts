import { ConductError } from '../../contract/error.ts'

/** The log or its stored tree is not as it was sealed, so no later try can succeed. The message says what is wrong. */
export class BrokenSeal extends ConductError {
  constructor(message: string) {
    super('INTERNAL_ERROR', message)
  }
}
