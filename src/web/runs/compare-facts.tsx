import type { ComponentChildren } from 'preact'
import { spanOf } from '../../contract/span.ts'
import type { Run } from '../../nouns/run/fields.ts'
import { Status, Verdict } from '../ui/status.tsx'
import { Ago } from '../ui/time.tsx'
import { costOfUse } from '../ui/words.ts'

interface Fact {
  name: string
  /** The value to compare; undefined if the run has none. */
  value: (run: Run) => string | number | undefined
  /** How to show it, if not as the value itself. */
  show?: (run: Run) => ComponentChildren
}

const tookOf = ({ startedAt, endedAt }: Run) =>
  startedAt !== null && endedAt !== null ? Date.parse(endedAt) - Date.parse(startedAt) : undefined

const facts: Fact[] = [
  { name: 'Status', value: ({ status }) => status, show: (run) => <Status run={run} /> },
  { name: 'Verdict', value: ({ verdict }) => verdict, show: (run) => <Verdict run={run} /> },
  { name: 'Failure', value: ({ failure }) => failure?.message },
  { name: 'Attempt', value: ({ attempt }) => attempt },
  {
    name: 'Spec',
    value: ({ specId, specVersion }) =>
      specId === null ? undefined : `${specId}${specVersion ? ` v${specVersion}` : ''}`,
  },
  { name: 'Agent', value: ({ agent }) => agent ?? undefined },
  { name: 'Author', value: ({ author }) => author ?? undefined },
  { name: 'Model', value: ({ usage }) => usage?.model },
  { name: 'Branch', value: ({ git }) => git?.branch },
  { name: 'Commit', value: ({ git }) => git?.commit?.slice(0, 12) },
  { name: 'Duration', value: tookOf, show: (run) => spanOf(tookOf(run) ?? 0) },
  { name: 'Cost', value: ({ usage }) => usage?.costUsd, show: ({ usage }) => costOfUse(usage) },
  { name: 'Input tokens', value: ({ usage }) => usage?.inputTokens },
  { name: 'Output tokens', value: ({ usage }) => usage?.outputTokens },
  { name: 'Files changed', value: ({ changes }) => changes?.files },
  { name: 'Lines added', value: ({ changes }) => changes?.insertions },
  { name: 'Lines removed', value: ({ changes }) => changes?.deletions },
  { name: 'Exit code', value: ({ exitCode }) => exitCode ?? undefined },
  { name: 'Created', value: ({ createdAt }) => createdAt, show: ({ createdAt }) => <Ago at={createdAt} /> },
]

/** The facts of two runs. A fact that both lack is left out. */
export function factsOf(...runs: [Run, Run]) {
  return facts
    .filter(({ value }) => runs.some((run) => isGiven(value(run))))
    .map(({ name, value, show }) => ({
      name,
      isDifferent: value(runs[0]) !== value(runs[1]),
      cells: runs.map((run) => (show && isGiven(value(run)) ? show(run) : shown(value(run)))),
    }))
}

const isGiven = (value: unknown) => value !== undefined

const shown = (value: string | number | undefined) => (typeof value === 'number' ? value.toLocaleString('en') : value)
