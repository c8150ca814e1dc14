import type { ComponentChildren } from 'preact'
import { nameOf } from '../../contract/person.ts'
import type { Run } from '../../nouns/run/fields.ts'
import type { Failure } from '../../nouns/run/work-fields.ts'
import { Icon } from './icon.tsx'

/** What a text must not hide: control characters, those that turn its direction, and those that nobody sees. */
const hidden = /((?![\n\t])[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\u00ad\u200b\u2060-\u2064\ufeff\u{e0000}-\u{e007f}])/u

/** A command or the target of a tool, with every character that would be invisible as its code. */
export function Visible({ text }: { text: string }) {
  return text.split(hidden).map((part, index) =>
    index % 2 === 1 ? (
      <i key={index} class="control">
        {codeOf(part)}
      </i>
    ) : (
      part
    ),
  )
}

function codeOf(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')
  return code.length > 4 ? `\\u{${code}}` : `\\u${code}`
}

/** A path or address that breaks after its slashes rather than inside a name. */
export function Breakable({ text }: { text: string }) {
  return text.split(/(?<=\/)(?=[^/])/).map((part, index) => (
    <>
      {index > 0 && <wbr />}
      {part}
    </>
  ))
}

/** A link written by an agent. It sends no referrer; a text that is not a web address stays text. */
export function OuterLink({ href, children }: { href: string; children: ComponentChildren }) {
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

const safe = ['http:', 'https:', 'mailto:']

/** The URL in a text if it is safe to link to; undefined for scripts, files and other texts. */
export function outerAddress(text: string): string | undefined {
  const url = URL.parse(text)
  return url && safe.includes(url.protocol) ? url.href : undefined
}

/** A name and a value; nothing if the value is unknown. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  if (children === null || children === undefined || children === false || children === '') return null
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** A sentence in which what is between backticks is code. */
export const Code = ({ text }: { text: string }) =>
  text.split('`').map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))

/** A failure in a line: its code, and the first line of its message. */
const failureLine = ({ code, message }: Failure): string => `${code}: ${plainLine(message)}`

/** Why a run failed, in a line; undefined if it did not, or nobody knows. */
export function whyFailed({ status, failure, exitCode }: Pick<Run, 'status' | 'failure' | 'exitCode'>) {
  if (failure) return failureLine(failure)
  return status === 'failed' && exitCode ? `exit code ${exitCode}` : undefined
}

/** The first line of a Markdown text, without its marks. */
export const plainLine = (text: string): string =>
  (text.slice(0, 1000).trim().split('\n', 1)[0] ?? '').replace(/^[#>\s]+|\*\*|`/g, '')

/** The name of a person; nothing if there is none. */
export function Author({ author }: { author: string | null }) {
  return author === null ? null : <span title={author}>{nameOf(author)}</span>
}
