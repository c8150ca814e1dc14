import { z } from 'zod'
import { text } from '../../contract/field.ts'

/** The parts of a run that it has several of: labels, links, and where the work was done. */

const label = {
  name: /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/,
  rule: 'a label name is 1 to 63 of A-Z a-z 0-9 . _ / - and begins with a letter or digit',
}

export const labelName = z.string().regex(label.name, label.rule)

const mostLabels = 32

// A record checks its entries before their number, and drops the key `__proto__` before it checks the pattern.
export const labels = z.preprocess(
  (value, context) => {
    const refuse = (message: string, ...path: string[]) =>
      context.issues.push({ code: 'custom', message, input: value, path })
    if (!(value instanceof Object) || Array.isArray(value)) return value
    if (Object.hasOwn(value, '__proto__')) refuse(label.rule, '__proto__')
    if (Object.keys(value).length <= mostLabels) return value
    refuse(`must have at most ${mostLabels} labels`)
    return {}
  },
  z.record(labelName, text(256)),
)

export const where = z.strictObject({
  host: text(200).optional(),
  cwd: text(1000).optional(),
  session: text(200).optional(),
})

export const link = z.strictObject({ rel: text(64, 1), href: text(2048, 1) })

export const links = z.array(link).max(32, 'at most 32 links').describe('Pull request, CI job, transcript and the like')
