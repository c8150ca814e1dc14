import type { Memo } from './memo.ts'

/** A call of the contract, on the session's own run. */
export interface Call {
  operation: 'createRun' | 'updateRun' | 'appendTurn' | 'createCheck'
  input: Record<string, unknown>
}

/** The state of a session after a step, and the calls that tell the ledger. */
export interface Stepped {
  memo: Memo
  calls: Call[]
}

/** The state after one more call. */
export const withCall = (
  { memo, calls }: Stepped,
  operation: Call['operation'],
  input: Call['input'],
  change: Partial<Memo> = {},
): Stepped => ({ memo: { ...memo, ...change }, calls: [...calls, { operation, input }] })
