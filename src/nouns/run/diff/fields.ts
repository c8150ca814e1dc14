import { z } from 'zod'
import { text } from '../../../contract/field.ts'
import { file, turnNumber } from '../turn-fields.ts'
import { count } from '../work-fields.ts'

/** The most bytes of the diff of a file, and of all diffs of a turn; and the most files of a turn. */
export const mostDiff = { fileBytes: 262_144, turnBytes: 2_097_152, files: 500 }

export const diffPath = text(1000, 1)
const mode = z.string().regex(/^(?:100644|100755|120000)$/, 'must be 100644, 100755 or 120000')
const blobId = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'must be the id of a git blob')
const yes = z.literal(true).optional()

/** What is said about a change besides its text. */
const changeFacts = {
  status: z.enum(['added', 'modified', 'deleted', 'renamed']),
  from: diffPath.optional().describe('The old path of a renamed file'),
  mode: mode.optional().describe('The new mode, of a new file and where it changed'),
  oldMode: mode.optional().describe('The mode before, of a deleted file and where it changed'),
  before: blobId.optional().describe('The git id of the content before'),
  after: blobId.optional().describe('The git id of the content after'),
  insertions: count.optional().describe('Added lines, including those that are cut'),
  deletions: count.optional().describe('Removed lines, including those that are cut'),
  binary: yes.describe('It is binary, or not UTF-8, so it has no text'),
  bytes: count.optional().describe('The size of a binary file after the change'),
  cut: z
    .strictObject({ lines: count.describe('The missing lines'), bytes: count.describe('The missing bytes') })
    .optional()
    .describe('How much of the diff was left out, because it is long'),
  withheld: yes.describe('The project does not record texts of changes'),
  masked: yes.describe('Secrets in the text were masked, so it cannot be applied'),
  shared: yes.describe('Another session wrote the file at the same time'),
}

/** The hunks of a unified diff, from the first `@@` on; missing if no line changed. */
const patch = (most: number) => text(most, 1).optional().describe('The hunks of the unified diff, from the first @@ on')

const change = z.strictObject({ ...changeFacts, patch: patch(mostDiff.fileBytes) })
export type FileChange = z.infer<typeof change>

/** A file that a turn changed, as its recorder sends it. */
export const diffInput = z.strictObject({
  path: diffPath.describe("From the repository's root"),
  change: change
    .optional()
    .describe('What the turn changed; missing if it changed only what the run has changed in all'),
  whole: change
    .nullable()
    .optional()
    .describe('What the run has changed so far, if that is something else; null: nothing, it is as before the run'),
})
export type DiffInput = z.infer<typeof diffInput>

/** A changed file in a response. */
export const fileDiff = z
  .object({
    path: z.string().describe("From the repository's root"),
    turn: turnNumber.describe('The last turn that changed it'),
    ...changeFacts,
    erased: yes.describe('Its text was erased, or its retention is over'),
    patch: patch(Number.POSITIVE_INFINITY),
  })
  .meta({ id: 'FileDiff' })
export type FileDiff = z.infer<typeof fileDiff>

/** A file in the list of those that a run changed. */
export const changedFile = file
  .extend({
    status: changeFacts.status.optional().describe('What happened to it, if its diff was recorded'),
    mode: z.string().optional().describe('Its new mode, where its diff says it'),
  })
  .meta({ id: 'RunFile' })
export type ChangedFile = z.infer<typeof changedFile>
