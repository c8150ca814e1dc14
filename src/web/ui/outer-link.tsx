import type { ComponentChildren } from 'preact'
import { outerAddress } from '../data/outer.ts'
import { Icon } from './icon.tsx'

/** A link that an agent wrote. It tells the other side nothing; what is no address of the web stands as text. */
export function OuterLink({ href, children = href }: { href: string; children?: ComponentChildren }) {
  const address = outerAddress(href)
  if (address === undefined) return <span title={href}>{children}</span>
  return (
    <a class="outer" href={address} target="_blank" rel="noopener noreferrer" title={address}>
      {children}
      <Icon name="out" />
      <span class="unseen">(opens a new tab)</span>
    </a>
  )
}
