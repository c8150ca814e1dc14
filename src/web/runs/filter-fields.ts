import type { Suggested } from '../../find/fields.ts'
import type { RunFilter } from '../data/run-filter.ts'

/** A filter of runs that the page offers. */
export interface FilterField {
  label: string
  /** The form of its values in an address. */
  kind: 'text' | 'number' | 'label' | 'commit' | 'day' | 'path'
  /** Whether it may be given several times: all of them must match. */
  isRepeated?: true
  /** The run field whose values are suggested. */
  suggested?: Suggested
  /** An example of a value. A day has its own input. */
  hint?: string
}

/** Every filter, in the order of the menu; those that other parts of the page set, and those that it does not offer. */
const fields: Record<keyof RunFilter, FilterField | 'elsewhere' | 'hidden'> = {
  agent: { label: 'Agent', kind: 'text', suggested: 'agent', hint: 'claude-code' },
  author: { label: 'Author', kind: 'text', suggested: 'author', hint: 'Ada Example <ada@example.com>' },
  file: { label: 'File or folder', kind: 'path', hint: 'src/auth.ts, or src/' },
  label: { label: 'Label', kind: 'label', isRepeated: true, suggested: 'label', hint: 'team:web' },
  specId: { label: 'Spec', kind: 'text', suggested: 'specId', hint: 'AUTH-001' },
  specVersion: { label: 'Spec version', kind: 'number', hint: '2' },
  model: { label: 'Model', kind: 'text', hint: 'claude-opus-4-5' },
  branch: { label: 'Branch', kind: 'text', suggested: 'branch', hint: 'main' },
  commit: { label: 'Commit', kind: 'commit', hint: '4f2a91c' },
  session: { label: 'Session', kind: 'text', hint: 'the id of an agent’s session' },
  featureId: { label: 'Feature number', kind: 'number', hint: '42' },
  createdAfter: { label: 'Created from', kind: 'day' },
  createdBefore: { label: 'Created before', kind: 'day' },
  endedAfter: { label: 'Ended from', kind: 'day' },
  endedBefore: { label: 'Ended before', kind: 'day' },
  updatedAfter: { label: 'Changed from', kind: 'day' },
  updatedBefore: { label: 'Changed before', kind: 'day' },
  project: 'elsewhere',
  status: 'elsewhere',
  verdict: 'elsewhere',
  mine: 'elsewhere',
  order: 'elsewhere',
  href: 'hidden',
}

export const filterFields = Object.entries(fields).flatMap(([name, field]) =>
  typeof field === 'object' ? [{ name, ...field }] : [],
)

/** All parameters of an address that select runs. */
export const filterNames = ['q', 'status', 'verdict', ...filterFields.map(({ name }) => name)]
