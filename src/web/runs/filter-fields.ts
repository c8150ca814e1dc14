import type { Suggested } from '../../api/search.ts'

/** A filter of runs that takes one value. */
export interface FilterField {
  /** As the address and the API name it. */
  name: string
  label: string
  /** The field of runs whose values are offered. */
  suggested?: Suggested
  /** An example of a value; a field without one is a day. */
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

/** All parts of an address that say which runs a list shows. */
export const filterNames = ['q', 'status', 'verdict', ...filterFields.map(({ name }) => name)]
