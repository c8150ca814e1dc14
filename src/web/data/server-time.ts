let aheadMs = 0

/** The current time in milliseconds by the clock of the server, from which all times of the ledger are. */
export const serverNow = (): number => Date.now() + aheadMs

/**
 * Learns the time of the server from a response to a request that was sent at that time. The response only limits how
 * far the server's clock is ahead, because it says full seconds and took a while to arrive; so clocks that may agree are
 * left as they are.
 */
export function learnTime({ headers }: Response, sentAt: number): void {
  const at = Date.parse(headers.get('date') ?? '')
  if (!Number.isNaN(at)) aheadMs = Math.min(Math.max(aheadMs, at - Date.now()), at + 1000 - sentAt)
}
