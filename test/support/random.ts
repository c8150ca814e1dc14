import fc from 'fast-check'
import { seed } from '../proof/size.ts'

// fast-check as the tests use it: with the same values in every `npm test`, and with others in every proof.
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed })

/** Any character, half surrogate pairs too. fast-check's own `binary` makes a table of a million of them first. */
export const anyCharacter = fc.nat(0x10ffff).map((code) => String.fromCodePoint(code))

export default fc
