import type { AttentionGroup, Grouping } from './fields.ts'
import { type Reason, reasons } from './rule.ts'

/** How many of the newest rows groups are made of, so that their cost has a limit. */
export const mostCounted = 1000

/** What groups are made of. */
export interface GroupMember {
  id: number
  created_at: string
  project_id: number
  run_id: string
  reason: Reason
  check_name: string | null
  spec_id: string | null
  branch: string | null
  /** The hash of the mail of who looks at it, or else of the author; the name of an author without a mail. */
  person: string | null
}

/** A group: its members, the newest first. For a group by person, `key` is the hash or the name. */
export interface MemberGroup extends Pick<AttentionGroup, 'by' | 'key'> {
  members: [GroupMember, ...GroupMember[]]
}

/** The groups of members that come newest first, in the order of their newest. */
export function groupsOf(members: readonly GroupMember[], grouping: Grouping): MemberGroup[] {
  const found = new Map<string, MemberGroup>()
  for (const member of members) {
    const { by, key } = placeOf(member, grouping)
    const name = JSON.stringify([member.project_id, by, key])
    const group = found.get(name)
    if (group) group.members.push(member)
    else found.set(name, { by, key, members: [member] })
  }
  return [...found.values()]
}

function placeOf({ run_id, reason, check_name, spec_id, branch, person }: GroupMember, grouping: Grouping) {
  if (grouping === 'person') return { by: 'person', key: person } as const
  if (grouping === 'check') {
    return check_name === null ? ({ by: 'reason', key: reason } as const) : ({ by: 'check', key: check_name } as const)
  }
  if (grouping === 'spec' && spec_id !== null) return { by: 'spec', key: spec_id } as const
  return branch ? ({ by: 'branch', key: branch } as const) : ({ by: 'run', key: run_id } as const)
}

/** The most urgent reason of a group. */
export const worstOf = ({ members }: MemberGroup): Reason =>
  reasons.find((reason) => members.some((member) => member.reason === reason)) as Reason
