import { base } from '../../app/router.ts'

/** The lock that a tab holds while it has the focus. It goes with the tab. */
const name = `focus on ${base}`

/** Lets other tabs know whether this one has the focus, until the returned function is called. */
export function shareFocus(): () => void {
  let end = Promise.withResolvers<void>()
  const leave = () => end.resolve()
  const look = () => {
    leave()
    if (!document.hasFocus()) return
    end = Promise.withResolvers()
    const { promise } = end
    // A browser that may store nothing has no locks.
    navigator.locks.request(name, { mode: 'shared' }, () => promise).catch(() => {})
  }
  look()
  addEventListener('focus', look)
  addEventListener('blur', leave)
  return () => {
    leave()
    removeEventListener('focus', look)
    removeEventListener('blur', leave)
  }
}

/** Whether a tab of this page has the focus. */
export async function isFocused(): Promise<boolean> {
  if (document.hasFocus()) return true
  const { held = [] } = await navigator.locks.query().catch(() => ({ held: [] }))
  return held.some((lock) => lock.name === name)
}
