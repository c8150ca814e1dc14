import assert from 'node:assert/strict'

/** Makes a text of about that many characters. */
export type Shape = (length: number) => string

export const mebibyte = 1_048_576
/** How much longer each text is than the one before. */
const step = 8
/** Linear work takes `step` times as long for each step; quadratic work 64 times. */
const mostGrowth = 3 * step
/** The processor time of a thread may be counted in ticks of 4 ms, so less than two are no measurement. */
const leastMs = 8
/** Anything this short is fine, however it grew: a garbage collection may take as long. */
const quickMs = 50

/**
 * Throws unless `read` takes linear time for each shape, up to `longest` characters. Measures the processor time of
 * this thread, so a busy machine does not matter, and increases the length in steps, so a fault shows before it takes
 * minutes.
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
      const most = Math.max(quickMs, mostGrowth * Math.max(before, leastMs))
      let ms = await cpuMs(() => read(text))
      // Real growth repeats; a garbage collection or a compilation does not.
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
