import type { Found } from '../../find/fields.ts'
import { useKept } from '../data/browser/storage.ts'
import { useProjects, useScope } from '../data/lists/projects.ts'
import { views } from '../data/lists/views.ts'
import { useRead } from '../data/query/read.ts'
import { client } from '../data/query/server.ts'
import { useSession } from '../data/query/session.ts'
import type { IconName } from '../ui/icon.tsx'
import { useSettled } from '../ui/search-field.tsx'
import { placesOf } from './places.ts'
import { go, href } from './router.ts'
import { toggleTheme } from './theme.ts'

/** A page to go to or an action to run. */
export interface Item {
  id: string
  label: string
  /** What kind of item it is, and where. */
  detail: string
  icon: IconName
  act: () => void
}

const typingMs = 150
const mostFound = 12

/** Matching items: pages, actions, views and projects are searched here, everything else by the server. */
export function useItems(text: string, onHelp: () => void) {
  const words = text.trim().toLowerCase()
  const own = useOwnItems(onHelp).filter(({ label, detail }) =>
    words.split(/\s+/).every((word) => `${label} ${detail}`.toLowerCase().includes(word)),
  )
  const q = useSettled(words, typingMs)
  const { data, error, isCurrent } = useRead(q.length < 2 ? '' : q, (signal) =>
    client.search({ q, type: ['run', 'turn', 'spec', 'feature'], limit: mostFound }, { signal }),
  )
  // What earlier words found must not be chosen with newer ones.
  const isSearched = words.length < 2 || (q === words && isCurrent)
  const found = words.length >= 2 && isSearched ? (data?.results ?? []).map(itemOf) : []
  return { items: [...own, ...found], isSearched, error: isSearched && words.length >= 2 ? error : undefined }
}

function useOwnItems(onHelp: () => void): Item[] {
  const session = useSession()
  const projects = useProjects()
  const kept = useKept(views)
  const project = useScope()
  const to = (address: string) => () => go(address)
  const pages = placesOf(session).map(({ name, icon, path }) => ({
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
  spec: 'specs',
  check: 'check',
  feature: 'features',
}

function itemOf({ type, project, subject, title }: Found): Item {
  const [id = '', turn] = subject.split('/')
  const noun = type === 'turn' ? 'run' : type
  return {
    id: `${type} ${project} ${subject}`,
    label: title ?? subject,
    detail: `${type[0]?.toUpperCase()}${type.slice(1)} ${subject} in ${project}`,
    icon: icons[type],
    act: () => go(href([`${noun}s`, project, id], { turn })),
  }
}
