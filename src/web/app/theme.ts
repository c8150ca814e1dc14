import { ofBrowser } from '../data/browser/storage.ts'

const name = 'conduct.theme'

type Theme = 'light' | 'dark'

const system = matchMedia('(prefers-color-scheme: dark)')

/** The current theme: the one chosen here, else the system's. */
export function themeNow(): Theme {
  const chosen = ofBrowser.get(name)
  return chosen === 'light' || chosen === 'dark' ? chosen : system.matches ? 'dark' : 'light'
}

/** Applies the chosen theme. Without a choice, the style sheet follows the system. */
export function applyTheme(): void {
  const chosen = ofBrowser.get(name)
  if (chosen) document.documentElement.dataset.theme = chosen
  else delete document.documentElement.dataset.theme
}

/** Switches the theme. Choosing the system's own theme removes the choice, so the page follows the system again. */
export function toggleTheme(): Theme {
  const next = themeNow() === 'dark' ? 'light' : 'dark'
  if ((next === 'dark') === system.matches) ofBrowser.remove(name)
  else ofBrowser.set(name, next)
  applyTheme()
  return next
}
