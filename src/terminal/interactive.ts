/**
 * The answer to a prompt. Ctrl-D on an empty line cancels it as Ctrl-C does: the prompt itself would wait forever for
 * input that has ended, and the process would exit with 0.
 */
export async function asked<T>(prompt: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const end = new AbortController()
  const cancel = () => end.abort()
  process.once('beforeExit', cancel)
  return prompt(end.signal).finally(() => process.off('beforeExit', cancel))
}

/** Waits for the work. If it takes longer than a second, says so on a terminal, with the current text of `what`. */
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
