import { z } from 'zod'
import { humanId, ifVersion, importedAt, pageInput, pageMeta, projectFilter, text } from '../../contract/field.ts'
import type { Name } from '../../contract/paths.ts'
import { created, done, type OperationRoute } from '../../contract/route.ts'
import { runPage, runStatus, verdict } from '../run/fields.ts'
import { runFilters } from '../run/filters.ts'
import { fullSpec, fullSpecVersion, spec, specInput, specStatus, specVersion } from './fields.ts'

const specAnswer = z.object({ spec })

export const specRoutes = {
  createSpec: {
    summary: 'Create a spec',
    permission: 'agent',
    input: z.strictObject({
      specId: humanId.optional().describe('Default: the next SPEC-<n> of the project'),
      ...specInput,
      createdAt: importedAt,
    }),
    output: specAnswer,
    success: [201],
    example: { specId: 'AUTH-001', content: '# Log in with a passkey\n\n- [x] button\n- [ ] tests' },
  },
  listSpecs: {
    summary: 'List specs',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      status: z.array(specStatus).optional(),
      q: text(200, 1)
        .optional()
        .describe(
          'Part of the title, where ASCII letters match regardless of case, or the beginning of the id, as it is written or in capitals',
        ),
      ...created,
      ...pageInput,
    }),
    output: z.object({ specs: z.array(spec), meta: pageMeta }),
    example: { status: ['draft'] },
  },
  getSpec: {
    summary: 'Read a spec with its content and the totals of its runs',
    permission: 'read',
    input: z.strictObject({ specId: humanId }),
    output: z.object({ spec: fullSpec }),
    example: { specId: 'AUTH-001' },
  },
  updateSpec: {
    summary: 'Change fields of a spec; earlier versions stay',
    permission: 'agent',
    input: z.strictObject({ specId: humanId, ...specInput, ifVersion }),
    output: specAnswer,
    example: { specId: 'AUTH-001', status: 'in_progress' },
  },
  deleteSpec: {
    summary: 'Delete a spec; its runs stay',
    permission: 'delete',
    input: z.strictObject({ specId: humanId, ifVersion }),
    output: done,
    example: { specId: 'AUTH-001' },
  },
  listSpecRuns: {
    summary: 'List the runs of a spec',
    words: 'spec runs',
    permission: 'read',
    input: z.strictObject({
      specId: humanId,
      specVersion: z.int().min(1).optional(),
      status: z.array(runStatus).optional(),
      verdict: z.array(verdict).optional(),
      mine: runFilters.mine,
      ...pageInput,
    }),
    output: runPage,
    example: { specId: 'AUTH-001' },
  },
  listSpecVersions: {
    summary: 'List the versions of a spec',
    words: 'spec versions',
    permission: 'read',
    input: z.strictObject({ specId: humanId, ...pageInput }),
    output: z.object({ versions: z.array(specVersion), meta: pageMeta }),
    example: { specId: 'AUTH-001' },
  },
  getSpecVersion: {
    summary: 'Read an earlier version of a spec',
    words: 'spec version',
    permission: 'read',
    input: z.strictObject({ specId: humanId, version: z.int().min(1) }),
    output: z.object({ version: fullSpecVersion }),
    example: { specId: 'AUTH-001', version: 1 },
  },
} as const satisfies { [N in Name]?: OperationRoute }

export type SpecRoutes = typeof specRoutes
