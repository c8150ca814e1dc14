/**
 * Gives the browser a language that Intl knows if its own is not one: some take that of the machine as it is, like
 * `en-US@posix`, and a library that makes a format of it throws as it is loaded.
 */
export function requireLanguage(): void {
  try {
    new Intl.NumberFormat(navigator.language)
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en', configurable: true })
  }
}

/** The viewer's time zone; UTC where the browser has none that can be asked for, like `Etc/Unknown`. */
export function timeZoneHere(): string {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return timeZone ?? 'UTC'
  } catch {
    return 'UTC'
  }
}
