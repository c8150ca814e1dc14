import { ConductError } from '../../contract/error.ts'
import { type Ctx, keyIdOf } from '../../frame/ctx.ts'

const streamsPerProcess = 1000
const streamsPerProject = 200
const streamsPerKey = 20

/** Something that may have at most so many open streams. */
interface Share {
  id: string
  words: string
  most: number
}

/**
 * Limits the open streams of this process. The returned function reserves one for a caller and returns its release. It
 * throws RATE_LIMIT_EXCEEDED when the process, the key, or the project of a project key has reached its limit.
 */
export function createPlaces() {
  const taken = new Map<string, number>()
  const count = ({ id }: Share, more: 1 | -1) => {
    const left = (taken.get(id) ?? 0) + more
    if (left > 0) taken.set(id, left)
    else taken.delete(id)
  }

  return (ctx: Ctx) => {
    const shares = sharesOf(ctx)
    const full = shares.find(({ id, most }) => (taken.get(id) ?? 0) >= most)
    if (full) throw tooMany(full)
    for (const share of shares) count(share, 1)
    return () => {
      for (const share of shares) count(share, -1)
    }
  }
}

function sharesOf(ctx: Ctx): Share[] {
  const shares = [
    { id: 'server', words: 'This server', most: streamsPerProcess },
    { id: `key ${keyIdOf(ctx)}`, words: 'This key', most: streamsPerKey },
  ]
  // A project admin can create any number of keys. Server keys belong to the operator.
  const { actor, project } = ctx
  if (actor.kind === 'key' && actor.projectId !== null) {
    shares.push({ id: `project ${actor.projectId}`, words: `The project '${project.slug}'`, most: streamsPerProject })
  }
  return shares
}

const tooMany = ({ words, most }: Share) =>
  new ConductError(
    'RATE_LIMIT_EXCEEDED',
    `${words} already has ${most} streams open: close one before you open another.`,
    {
      retryAfter: 15,
    },
  )
