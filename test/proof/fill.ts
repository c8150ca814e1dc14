import type { Client, Input } from '../../src/client/client.ts'

const atOnce = 64

/** Creates runs 1 to `count`, many at the same time. */
export async function createMany(client: Client, count: number, runOf: (n: number) => Input<'createRun'>) {
  let next = 1
  async function work() {
    for (let n = next++; n <= count; n = next++) await client.createRun(runOf(n))
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}
