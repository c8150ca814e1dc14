import { z } from 'zod'
import { rowId, time } from '../../contract/field.ts'
import type { Name } from '../../contract/paths.ts'
import type { OperationRoute } from '../../contract/route.ts'

const bytes = z.string().meta({ contentEncoding: 'base64' })
const size = z.int().min(1)

const leaf = z
  .object({
    seq: rowId,
    projectId: rowId.nullable().describe('The number of its project; null: the whole server'),
    type: z.string(),
    subject: z.string(),
    subjectId: z.int(),
    actorKind: z.string().nullable().describe('Who acted: key, local or system'),
    isAppend: z
      .int()
      .optional()
      .describe('1 if it only appends to a run, so that filtered lists leave it out; else 0. Not covered by the seal'),
    keyId: rowId.nullable(),
    actor: z
      .string()
      .nullable()
      .optional()
      .describe('The name of who acted, as lists show it. Not covered by the seal'),
    project: z
      .string()
      .nullable()
      .optional()
      .describe('The slug of its project, as lists show it. Not covered by the seal'),
    at: time,
    imported: z.int().describe('1: it happened at another time, which the caller set'),
    changes: z.string().describe('As JSON, as stored'),
    salts: bytes.describe('16 bytes for each text in changes that is not erased, in order'),
    hash: bytes.nullable().describe('The leaf in the stored tree; null: not sealed yet'),
  })
  .meta({ id: 'Leaf' })
export type Leaf = z.infer<typeof leaf>

export const sealRoutes = {
  getCheckpoint: {
    summary:
      'Read the newest signed checkpoint of the log, at most a minute old, or of the whole log for the local user, as a c2sp.org/tlog-checkpoint note or as JSON',
    words: 'log checkpoint',
    permission: 'read',
    input: z.strictObject({
      from: size.optional().describe('The size of an earlier log that this one must continue'),
    }),
    output: z.object({
      note: z.string().describe('The signed note; keep it where the operator of the database cannot change it'),
      origin: z.string().describe('The name of the log'),
      size: size.describe('How many events it covers, from the first'),
      root: bytes.describe('The root of the Merkle tree over them (RFC 6962)'),
      signedAt: time.describe('When it was signed'),
      verifierKey: z.string().describe("The key that verifies its signature, in the format of Go's note.NewVerifier"),
      consistency: z
        .array(bytes)
        .optional()
        .describe('With `from`, the proof that the log continues the earlier one; absent if it has fewer events'),
    }),
    example: {},
  },
  getProof: {
    summary: 'Prove that an event is in the log, as a c2sp.org/tlog-proof or as JSON',
    words: 'log proof',
    permission: 'read',
    input: z.strictObject({ seq: rowId.describe('The event') }),
    output: z.object({
      proof: z
        .string()
        .describe(
          'The proof, to the newest checkpoint; its extra data is the entry of the event, if the key can read it',
        ),
    }),
    example: { seq: 1 },
  },
  getConsistency: {
    summary: 'Prove that a later log continues an earlier one (RFC 6962, 2.1.2)',
    words: 'log consistency',
    permission: 'read',
    input: z.strictObject({
      from: size.describe('The size of the earlier log'),
      to: size.optional().describe('The size of the later log; default: that of the newest checkpoint'),
    }),
    output: z.object({
      from: size.describe('The size of the earlier log'),
      to: size.describe('The size of the later log'),
      hashes: z.array(bytes).describe('The proof'),
    }),
    example: { from: 1 },
  },
  listLeaves: {
    summary: 'List every event as the seal covers it, with salts and hashes, to verify the whole log',
    words: null,
    permission: 'admin',
    input: z.strictObject({
      after: z.int().min(0).default(0).describe('The seq after which to begin'),
      limit: z.int().min(1).max(1000).default(100).describe('Events per page'),
    }),
    output: z.object({
      leaves: z.array(leaf).describe('The events of this page, in order'),
      meta: z.object({
        hasMore: z.boolean(),
        lastSeq: z.int().describe('The next `after`'),
        dropped: z.array(bytes).describe('The leaves of the events after `after` that were dropped from the log'),
      }),
    }),
    example: { limit: 1 },
  },
} as const satisfies { [N in Name]?: OperationRoute }

export type SealRoutes = typeof sealRoutes
