/** Work of which only one piece runs at a time. All calls during it cause one more. */
export interface Repeated {
  /** Works once the last work is `restMs` ago; at once if that is so. */
  soon(): void
  /** Works as soon as no other work runs, without the rest. */
  now(): void
}

export function oneAtATime(work: () => Promise<void>, restMs: number): Repeated {
  let isBusy = false
  let isAsked = false
  let isHurried = false
  let endRest = () => {}

  const rest = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, restMs)
      endRest = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const soon = async () => {
    isAsked = true
    if (isBusy) return
    isBusy = true
    while (isAsked) {
      isAsked = false
      isHurried = false
      await work()
      if (!isHurried) await rest()
    }
    isBusy = false
  }
  const now = () => {
    isHurried = true
    endRest()
    void soon()
  }
  return { soon, now }
}
