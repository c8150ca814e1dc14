import type { Client, Input, Output } from '../../client/client.ts'

export type Retention = NonNullable<Input<'updateProject'>['retention']>
/** The runs that would lose their texts, and those that would be deleted. */
export type Forgotten = Pick<Output<'forget'>, 'erased' | 'deleted'>

/** Counts what a retention would remove. */
export async function countForgotten(client: Client, retention: Retention, signal: AbortSignal): Promise<Forgotten> {
  let cursor: string | undefined
  for (;;) {
    const { erased, deleted, nextCursor } = await client.forget({ dryRun: true, retention, cursor }, { signal })
    if (nextCursor === undefined) return { erased, deleted }
    cursor = nextCursor
  }
}
