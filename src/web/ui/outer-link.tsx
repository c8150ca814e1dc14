import type { ComponentChildren } from 'preact'
import { outerAddress } from '../data/outer.ts'
import { Icon } from './icon.tsx'

/** A link written by an agent. It sends no referrer; a text that is not a web address stays text. */
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
