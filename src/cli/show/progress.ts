/** Waits for the work, and says on a terminal that it does (as `what` has it by then) when this takes longer than a second. */
export async function whileWaiting<T>(what: string | (() => string), work: Promise<T>): Promise<T> {
  const { stderr } = process
  if (!stderr.isTTY) return work
  const began = Date.now()
  let isShown = false
  const timer = setInterval(() => {
    isShown = true
    stderr.write(`\r${typeof what === 'string' ? what : what()} (${Math.round((Date.now() - began) / 1000)} s)\u001b[K`)
  }, 1000)
  return work.finally(() => {
    clearInterval(timer)
    if (isShown) stderr.write('\r\u001b[K')
  })
}
