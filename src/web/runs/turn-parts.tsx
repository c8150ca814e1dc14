import type { ComponentChildren } from 'preact'
import { spanOf } from '../../contract/span.ts'
import type { Turn } from '../../nouns/run/turn-fields.ts'
import { FileLink } from '../files/file-link.tsx'
import { Visible } from '../ui/text.tsx'
import { plural } from '../ui/words.ts'
import { Changes } from './changes.tsx'

/** Lists up to this length are open. */
const openUpTo = 5

interface PartProps {
  title: string
  count: number
  note?: string
  isBad?: boolean
  children: ComponentChildren
}

/** A part of a turn: a list that is folded if it is long. */
function Part({ title, count, note, isBad = false, children }: PartProps) {
  return (
    <details class="part" open={count <= openUpTo}>
      <summary>
        {title}
        {note && <span class={isBad ? 'error-text small' : 'muted small'}>{note}</span>}
      </summary>
      <ul>{children}</ul>
    </details>
  )
}

const marks = { completed: ['☑', 'done: '], in_progress: ['◐', 'in progress: '], pending: ['☐', 'to do: '] } as const

/** The mark of an item, and its words; also in a state that only a newer server knows. */
const markOf = (status: string): readonly [mark: string, words: string] =>
  Object.hasOwn(marks, status) ? marks[status as keyof typeof marks] : ['–', `${status}: `]

export function Plan({ items = [] }: { items: Turn['plan'] }) {
  if (items.length === 0) return null
  const done = items.filter(({ status }) => status === 'completed').length
  return (
    <Part title="Plan" count={items.length} note={`${done} of ${items.length} done`}>
      {items.map(({ text, status }, index) => (
        <li key={index} class="planned">
          <span aria-hidden="true">{markOf(status)[0]}</span>
          <span class="unseen">{markOf(status)[1]}</span>
          <span>{text}</span>
        </li>
      ))}
    </Part>
  )
}

export function Files({ turn: { project, files = [], filesOmitted = 0 } }: { turn: Turn }) {
  if (files.length === 0) return null
  return (
    <Part
      title={plural(files.length + filesOmitted, 'file')}
      count={files.length}
      note={filesOmitted > 0 ? `${filesOmitted} of them not listed` : undefined}
    >
      {files.map(({ path, insertions, deletions }) => (
        <li key={path}>
          <FileLink project={project} path={path} />
          <Changes changes={{ insertions, deletions }} />
        </li>
      ))}
    </Part>
  )
}

export function Commands({ commands = [] }: { commands: Turn['commands'] }) {
  if (commands.length === 0) return null
  const failed = commands.filter(({ exitCode = 0 }) => exitCode !== 0).length
  return (
    <Part
      title={plural(commands.length, 'command')}
      count={commands.length}
      note={failed > 0 ? `${failed} failed` : undefined}
      isBad
    >
      {commands.map(({ command, exitCode, durationMs }, index) => (
        <li key={index}>
          <code>
            <Visible text={command} />
          </code>
          <span class="facts">
            {exitCode !== undefined && (
              <span class={exitCode === 0 ? undefined : 'error-text'}>exit code {exitCode}</span>
            )}
            {durationMs !== undefined && <span>{spanOf(durationMs)}</span>}
          </span>
        </li>
      ))}
    </Part>
  )
}

export function Tools({ tools = [] }: { tools: Turn['tools'] }) {
  if (tools.length === 0) return null
  const words = tools.map(({ name, count, failed = 0, refused = 0 }) => {
    const notes = [failed > 0 && `${failed} failed`, refused > 0 && `${refused} refused`].filter(Boolean)
    return `${name}${count > 1 ? ` ×${count}` : ''}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`
  })
  return <p class="muted small tools-used">Tools: {words.join(', ')}</p>
}

export function Subagents({ agents = [] }: { agents: Turn['agents'] }) {
  if (agents.length === 0) return null
  return (
    <Part title={plural(agents.length, 'subagent')} count={agents.length}>
      {agents.map(({ name, turns, tokens }, index) => (
        <li key={index}>
          <span>{name}</span>
          <span class="facts">
            {turns !== undefined && <span>{plural(turns, 'turn')}</span>}
            {tokens !== undefined && <span>{plural(tokens, 'token')}</span>}
          </span>
        </li>
      ))}
    </Part>
  )
}
