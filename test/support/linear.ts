import assert from 'node:assert/strict'

/** A text of about so many characters. */
export type Shape = (length: number) => string

export const mebibyte = 1_048_576
/** Each text is so many times as long as the one before. */
const step = 8
/** Work in proportion takes `step` times as long for each; work that grows with the square takes 64 times. */
const mostGrowth = 3 * step
/** So little is quick, however it grew: a collection of garbage may take as long. */
const quickMs = 50

/**
 * Throws unless `read` takes time in proportion to its text, up to `longest` characters of each shape. Counts the processor time of this
 * thread, so that a busy machine makes no difference, and goes up in steps, so that a fault shows before it takes minutes.
 */
export async function assertLinear(
  shapes: Shape[],
  read: (text: string) => unknown,
  longest = mebibyte,
): Promise<void> {
  for (const shape of shapes) {
    let before = Number.POSITIVE_INFINITY
    for (const length of [longest / step ** 2, longest / step, longest]) {
      const text = shape(length)
      const most = Math.max(quickMs, mostGrowth * before)
      let ms = await cpuMs(() => read(text))
      // What grew too much does so again; a collection of garbage, or compiling, does not.
      for (let again = 0; ms > most && again < 2; again++) ms = Math.min(ms, await cpuMs(() => read(text)))
      const told = `${ms.toFixed(1)} ms for ${length} characters of ${JSON.stringify(text.slice(0, 60))}…`
      assert.ok(ms <= most, `${told}: an ${step}th of it took ${before.toFixed(1)} ms`)
      before = ms
    }
  }
}

async function cpuMs(work: () => unknown): Promise<number> {
  const begun = process.threadCpuUsage()
  await work()
  const { user, system } = process.threadCpuUsage(begun)
  return (user + system) / 1000
}
