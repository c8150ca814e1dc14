import fc from 'fast-check'
import { seed } from '../proof/size.ts'

// fast-check with the same values in every `npm test`, and others in every proof.
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed })

/**
 * Any character, including lone surrogates. fast-check's own `binary` would first build a table of a million
 * characters.
 */
export const anyCharacter = fc.nat(0x10ffff).map((code) => String.fromCodePoint(code))

export default fc
