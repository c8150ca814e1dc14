import type { ComponentType } from 'preact'
import type { Required } from '../contract/actor.ts'
import { showsEvents } from './activity/views.ts'
import type { Route } from './app/router.ts'
import { may, type Viewer } from './data/query/session.ts'
import type { IconName } from './ui/icon.tsx'

export interface PageProps {
  route: Route
  /** From the address; '' if the page has none. */
  project: string
  id: string
}

interface Page {
  /** The address after `#/`. `:project` and `:id` stand for any text, and `:id…` at the end for the whole rest. */
  path: string
  load: () => Promise<{ default: ComponentType<PageProps> }>
  /** Its entry in the menu. The key is pressed after `g`. */
  menu?: [name: string, icon: IconName, key: string]
  /** The path of the entry to which a page without one belongs; by default the first part of its own. */
  under?: string
  /** The permission without which the menu does not offer it. */
  permission?: Required
  /** Whether it shows the chosen projects, which are then part of its address. */
  isScoped?: boolean
  /** Whether it shows runs that *Mine* narrows to the person's own; of some pages, not all views do. */
  hasRuns?: boolean | ((query: URLSearchParams) => boolean)
  /** What an `:id` must look like. */
  id?: RegExp
  /** Whether its code is loaded in advance. */
  isUsual?: boolean
}

/**
 * Every page, in the order of the menu. The routes, the menu, the keys and the palette follow from this table, and the
 * tests open each page.
 */
export const pages: Page[] = [
  {
    path: '',
    menu: ['Now', 'now', 'n'],
    isScoped: true,
    hasRuns: true,
    isUsual: true,
    load: () => import('./now/now.tsx'),
  },
  {
    path: 'runs',
    menu: ['Runs', 'runs', 'r'],
    isScoped: true,
    hasRuns: true,
    isUsual: true,
    load: () => import('./runs/runs.tsx'),
  },
  { path: 'runs/:project/:id', isUsual: true, load: () => import('./runs/run.tsx') },
  { path: 'files/:project/:id…', under: 'runs', hasRuns: true, load: () => import('./files/file.tsx') },
  { path: 'compare', under: 'runs', load: () => import('./runs/compare.tsx') },
  {
    path: 'specs',
    menu: ['Specs', 'specs', 's'],
    isScoped: true,
    hasRuns: (query) => query.get('view') !== 'new',
    load: () => import('./specs/specs.tsx'),
  },
  {
    path: 'specs/:project/:id',
    hasRuns: (query) => !['versions', 'edit'].includes(query.get('view') ?? ''),
    load: () => import('./specs/spec.tsx'),
  },
  {
    path: 'features',
    menu: ['Features', 'features', 'f'],
    isScoped: true,
    load: () => import('./features/features.tsx'),
  },
  {
    path: 'features/:project/:id',
    id: /^[1-9]\d{0,9}$/,
    hasRuns: true,
    load: () => import('./features/feature.tsx'),
  },
  { path: 'trends', menu: ['Trends', 'trends', 't'], isScoped: true, load: () => import('./trends/trends.tsx') },
  {
    path: 'activity',
    menu: ['Activity', 'activity', 'a'],
    isScoped: true,
    hasRuns: (query) => !showsEvents(query),
    load: () => import('./activity/activity.tsx'),
  },
  { path: 'keys', menu: ['Keys', 'keys', 'k'], permission: 'admin', load: () => import('./admin/keys.tsx') },
  { path: 'webhooks', menu: ['Webhooks', 'out', 'w'], permission: 'admin', load: () => import('./admin/webhooks.tsx') },
  {
    path: 'projects',
    menu: ['Projects', 'folder', 'p'],
    permission: 'admin',
    load: () => import('./admin/projects.tsx'),
  },
  { path: 'projects/:project', load: () => import('./admin/project.tsx') },
]

const partsOf = (path: string) => path.split('/').filter((part) => part !== '')

/** The page of an address, with the project and the id in it; undefined if there is none. */
export function pageAt({ path: whole, isFolder }: Route): { page: Page; project: string; id: string } | undefined {
  for (const page of pages) {
    const pattern = partsOf(page.path.replace('…', ''))
    const path = page.path.endsWith('…') ? joined(whole, pattern.length, isFolder) : whole
    const [project = '', id = ''] = [':project', ':id'].map((name) => path[pattern.indexOf(name)])
    const isSame = pattern.every((part, index) => part.startsWith(':') || part === path[index])
    if (isSame && pattern.length === path.length && (page.id?.test(id) ?? true)) return { page, project, id }
  }
  return undefined
}

/** A path of at most that many parts, the last of which takes what is left. */
function joined(path: string[], parts: number, isFolder = false): string[] {
  const rest = path.slice(parts - 1).join('/')
  return rest === '' ? path : [...path.slice(0, parts - 1), isFolder ? `${rest}/` : rest]
}

/** Whether an address shows the chosen projects rather than a single thing. */
export const isScoped = (route: Route): boolean => pageAt(route)?.page.isScoped ?? false

/** Whether an address shows runs that *Mine* narrows to the person's own. */
export function hasRuns(route: Route): boolean {
  const { hasRuns = false } = pageAt(route)?.page ?? {}
  return typeof hasRuns === 'function' ? hasRuns(route.query) : hasRuns
}

interface MenuEntry {
  path: string[]
  name: string
  icon: IconName
  key: string
}

/** The pages that the menu offers to a session. */
export const menuOf = (session: Viewer): MenuEntry[] =>
  pages.flatMap(({ path, menu, permission = 'read' }) => {
    if (!menu || !may(session, permission)) return []
    const [name, icon, key] = menu
    return [{ path: partsOf(path), name, icon, key }]
  })
