import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { pathFrom } from '../../contract/file-path.ts'
import { nameOf } from '../../contract/person.ts'
import type { Found } from '../../find/fields.ts'
import type { Project } from '../../nouns/project/fields.ts'
import { useKept } from '../data/browser/storage.ts'
import { useProjects, useScope } from '../data/lists/projects.ts'
import { views } from '../data/lists/views.ts'
import { useRead } from '../data/query/read.ts'
import { client } from '../data/query/server.ts'
import { useSession } from '../data/query/session.ts'
import { plainOf } from '../log/lines.ts'
import { menuOf } from '../pages.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { logPlaceOf, Marked, placeOf } from '../ui/marked.tsx'
import { useSettled } from '../ui/search-field.tsx'
import { dateWords } from '../ui/time.tsx'
import { go, href } from './router.ts'
import { toggleTheme } from './theme.ts'

/** The command palette, opened by Ctrl+K or Cmd+K. */
export default function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const [text, setText] = useState('')
  const { items, isSearched, error } = useItems(text, onHelp)
  const [at, setAt] = useState(0)
  const list = useId()
  const chosen = Math.min(at, items.length - 1)
  const choose = (item: Item | undefined) => {
    if (!item) return
    onClose()
    item.act()
  }
  const press = (event: KeyboardEvent) => {
    // The key ends the input of a Chinese or Japanese word.
    if (event.isComposing) return
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) setAt((chosen + step + items.length) % Math.max(1, items.length))
    else if (event.key === 'Enter') choose(items[chosen])
    else return
    event.preventDefault()
  }
  return (
    <Dialog title="Go to anything" onClose={onClose}>
      <div class="palette">
        <input
          // The browser focuses it when the dialog opens.
          autofocus
          type="text"
          role="combobox"
          aria-label="Pages, runs, specs, features, projects, actions"
          aria-expanded="true"
          aria-controls={list}
          aria-activedescendant={items.length > 0 ? `${list}-${chosen}` : undefined}
          placeholder="Pages, runs, specs, features, projects, actions"
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value)
            setAt(0)
          }}
          onKeyDown={press}
        />
        <div id={list} role="listbox" aria-label="Matches">
          {items.map((item, index) => (
            <Option key={item.id} id={`${list}-${index}`} item={item} isChosen={index === chosen} onChoose={choose} />
          ))}
        </div>
        <p class="muted small" role="status">
          {error ? error.message : !isSearched ? 'Searching …' : items.length === 0 && 'Nothing matches these words.'}
        </p>
      </div>
    </Dialog>
  )
}

interface OptionProps {
  id: string
  item: Item
  isChosen: boolean
  onChoose: (item: Item) => void
}

function Option({ id, item, isChosen, onChoose }: OptionProps) {
  const option = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (isChosen) option.current?.scrollIntoView({ block: 'nearest' })
  }, [isChosen])
  return (
    <button
      ref={option}
      id={id}
      type="button"
      role="option"
      aria-selected={isChosen}
      tabIndex={-1}
      onClick={() => onChoose(item)}
    >
      <Icon name={item.icon} />
      <span class="title">{item.label}</span>
      <span class="muted small">{item.detail}</span>
      {item.snippet && (
        <span class="excerpt">
          <Marked text={item.snippet.text} q={item.snippet.q} />
        </span>
      )}
    </button>
  )
}

/** A page to go to or an action to run. */
interface Item {
  id: string
  label: string
  /** What kind of item it is, and where. */
  detail: string
  icon: IconName
  /** Where the words of the query `q` are in it. */
  snippet?: { text: string; q: string }
  act: () => void
}

const typingMs = 150
const mostFound = 40

/** Matching items: pages, actions, views and projects are searched here, everything else by the server. */
function useItems(text: string, onHelp: () => void) {
  const words = text.trim().toLowerCase()
  const own = useOwnItems(onHelp).filter(({ label, detail }) =>
    words.split(/\s+/).every((word) => `${label} ${detail}`.toLowerCase().includes(word)),
  )
  const files = filesIn(text.trim(), useScope())
  const projects = useProjects()
  const q = useSettled(words, typingMs)
  const { id, project } = namesIn(q, projects)
  const { data, error, isCurrent } = useRead(q.length < 2 ? '' : [q, ...project].join(' '), async (signal) => {
    const [named, { results }] = await Promise.all([
      namedBy(id, project, signal),
      client.search(
        { q, type: ['run', 'turn', 'diff', 'spec', 'feature'], group: 'run', limit: mostFound },
        { signal },
      ),
    ])
    const isOther = (found: Found) => !named.some((one) => idOf(one) === idOf(found))
    return [...named, ...results.filter(isOther)]
  })
  // What earlier words found must not be chosen with newer ones.
  const isSearched = words.length < 2 || (q === words && isCurrent)
  const found = words.length >= 2 && isSearched ? (data ?? []).map((found) => itemOf(found, q)) : []
  return { items: [...own, ...files, ...found], isSearched, error: isSearched && words.length >= 2 ? error : undefined }
}

/** The id in words like `shop/run-001`, and the project before it, in any case. */
function namesIn(words: string, projects: Project[]): { id: string; project: string[] } {
  const [, slug, id = ''] = /^([^\s/]+)\/(\S+)$/.exec(words) ?? []
  return { id, project: projects.flatMap((one) => (one.slug.toLowerCase() === slug ? one.slug : [])) }
}

/** The run and the spec with that id, in any case. */
async function namedBy(id: string, project: string[], signal: AbortSignal): Promise<Found[]> {
  if (project.length === 0) return []
  const { results } = await client.search({ q: id, project, type: ['run', 'spec'], limit: mostFound }, { signal })
  return results.filter(({ subject }) => subject.toLowerCase() === id)
}

/** The runs that wrote a file or folder, if that is what the words name. */
function filesIn(text: string, project: string[]): Item[] {
  const file = /^[^\s]+\/[^\s]*$/.test(text) ? pathFrom(text) : undefined
  if (file === undefined) return []
  const act = () => go(href(['runs'], { project, file }))
  return [{ id: 'file', label: `Runs that wrote ${file}`, detail: 'File or folder', icon: 'specs', act }]
}

function useOwnItems(onHelp: () => void): Item[] {
  const session = useSession()
  const projects = useProjects()
  const kept = useKept(views)
  const project = useScope()
  const to = (address: string) => () => go(address)
  const pages = menuOf(session).map(({ name, icon, path }) => ({
    label: name,
    detail: 'Page',
    icon,
    act: to(href(path, { project })),
  }))
  const ofProjects = projects.map(({ slug, name }) => ({
    label: name,
    detail: `Project ${slug}`,
    icon: 'folder' as const,
    act: to(href(['runs'], { project: slug })),
  }))
  const ofViews = kept.map(({ name, query }) => ({
    label: name,
    detail: 'View of runs',
    icon: 'runs' as const,
    act: to(`#/runs?${query}`),
  }))
  const deeds = [
    { label: 'Show all projects', detail: 'Action', icon: 'folder' as const, act: to(href(['runs'])) },
    {
      label: 'Failed runs',
      detail: 'Action',
      icon: 'cross' as const,
      act: to(href(['runs'], { project, status: 'failed' })),
    },
    {
      label: 'Costs of the last 7 days by author',
      detail: 'Action',
      icon: 'trends' as const,
      act: to(href(['trends'], { project, days: 7, by: 'author' })),
    },
    { label: 'Switch between light and dark colours', detail: 'Action', icon: 'moon' as const, act: toggleTheme },
    { label: 'Show keyboard shortcuts', detail: 'Action', icon: 'keys' as const, act: onHelp },
  ]
  return [...pages, ...ofViews, ...ofProjects, ...deeds].map((item) => ({
    ...item,
    id: `${item.detail} ${item.label}`,
  }))
}

const icons: Record<Found['type'], IconName> = {
  run: 'runs',
  turn: 'agent',
  diff: 'agent',
  spec: 'specs',
  check: 'check',
  feature: 'features',
}

const idOf = ({ type, project, subject }: Pick<Found, 'type' | 'project' | 'subject'>) =>
  `${type} ${project} ${subject}`

function itemOf(found: Found, q: string): Item {
  const { type, project, subject, title, author, agent, verdict, at, snippet, parts } = found
  const [part] = parts ?? []
  const facts = [
    `${type[0]?.toUpperCase()}${type.slice(1)} ${subject} in ${project}`,
    agent,
    author && nameOf(author),
    verdict !== 'unchecked' && verdict,
    dateWords(at),
  ]
  return {
    id: idOf({ type, project, subject }),
    label: title ?? subject,
    detail: facts.filter(Boolean).join(' · '),
    icon: icons[type],
    snippet: { text: plainOf(snippet), q },
    act: () => go(href([`${type}s`, project, subject], part ? placeOf(part) : logPlaceOf(found, q))),
  }
}
