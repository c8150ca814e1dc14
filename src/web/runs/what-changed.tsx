import type { Run } from '../../api/run.ts'
import { outerAddress } from '../data/outer.ts'
import { Icon } from '../ui/icon.tsx'
import { OuterLink } from '../ui/outer-link.tsx'
import { Changes } from './changes.tsx'

/** What of the code a run changed, and where that is to be seen. */
export function WhatChanged({ run: { changes, git, links } }: { run: Run }) {
  if (!changes && !git && links.length === 0) {
    return <p class="muted">Unknown: the run names no changes, no commit and no links.</p>
  }
  return (
    <div class="changed">
      <Changes changes={changes} />
      {git?.branch && (
        <span class="ref">
          <Icon name="branch" />
          <code>{git.branch}</code>
          {git.base && (
            <span class="muted">
              from <code>{git.base}</code>
            </span>
          )}
        </span>
      )}
      {git?.commit && <code title={git.commit}>{git.commit.slice(0, 12)}</code>}
      {git?.dirty && <span class="muted">with changes that are not committed</span>}
      {links.map(({ rel, href }, index) => (
        <OuterLink key={index} href={href}>
          {outerAddress(href) ? rel : `${rel}: ${href}`}
        </OuterLink>
      ))}
    </div>
  )
}
