import type { Suggested } from '../../find/fields.ts'

/** A filter of runs with one value. */
export interface FilterField {
  /** Its name in the address and in the API. */
  name: string
  label: string
  /** The run field whose values are suggested. */
  suggested?: Suggested
  /** An example of a value. A field without one is a day. */
  hint?: string
}

export const filterFields: FilterField[] = [
  { name: 'agent', label: 'Agent', suggested: 'agent', hint: 'claude-code' },
  { name: 'author', label: 'Author', suggested: 'author', hint: 'Ada Example <ada@example.com>' },
  { name: 'label', label: 'Label', suggested: 'label', hint: 'team:web' },
  { name: 'specId', label: 'Spec', suggested: 'specId', hint: 'AUTH-001' },
  { name: 'specVersion', label: 'Spec version', hint: '2' },
  { name: 'branch', label: 'Branch', suggested: 'branch', hint: 'main' },
  { name: 'commit', label: 'Commit', hint: '4f2a91c' },
  { name: 'session', label: 'Session', hint: 'the id of an agent’s session' },
  { name: 'featureId', label: 'Feature number', hint: '42' },
  { name: 'createdAfter', label: 'Created from' },
  { name: 'createdBefore', label: 'Created before' },
]

/** All parameters of an address that select runs. */
export const filterNames = ['q', 'status', 'verdict', ...filterFields.map(({ name }) => name)]
