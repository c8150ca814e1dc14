import { keptIn, useKept } from '../data/browser/storage.ts'
import { useMatch } from '../ui/media.ts'

type Theme = 'light' | 'dark'

/** The theme chosen in this browser; null to follow the system. */
const kept = keptIn('theme', (value): Theme | null => (value === 'light' || value === 'dark' ? value : null))

const system = matchMedia('(prefers-color-scheme: dark)')

const themeOf = (isDark: boolean): Theme => (isDark ? 'dark' : 'light')

/** The current theme: the one chosen here, else the system's. */
export function useTheme(): Theme {
  const ofSystem = themeOf(useMatch(system))
  return useKept(kept) ?? ofSystem
}

/** Applies the chosen theme, also when another tab changes it. Without a choice, the style sheet follows the system. */
export function applyTheme(): void {
  apply()
  addEventListener('storage', apply)
}

function apply(): void {
  const chosen = kept.read()
  if (chosen) document.documentElement.dataset.theme = chosen
  else delete document.documentElement.dataset.theme
}

/** Switches the theme. Choosing the system's own theme removes the choice, so the page follows the system again. */
export function toggleTheme(): void {
  const ofSystem = themeOf(system.matches)
  const next = themeOf((kept.read() ?? ofSystem) === 'light')
  kept.write(next === ofSystem ? null : next)
  apply()
}
