/**
 * The answer to a prompt. Ctrl-D on an empty line cancels it as Ctrl-C does: the prompt itself would wait for ever for
 * input that has ended, and the process would exit with 0.
 */
export async function asked<T>(prompt: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const end = new AbortController()
  const cancel = () => end.abort()
  process.once('beforeExit', cancel)
  return prompt(end.signal).finally(() => process.off('beforeExit', cancel))
}
