import fc from 'fast-check'
import { seed } from '../proof/size.ts'

// fast-check as the tests use it: with the same values in every `npm test`, and with others in every proof.
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed })

export default fc
