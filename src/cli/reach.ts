import { tlsFault } from '../client/request.ts'

/**
 * What a server reports about itself, and by how many seconds its clock is ahead of ours. If no Conduct answers at that
 * address, throws an Error that says what does.
 */
export async function reach(url: string): Promise<{ version: string; ahead: number }> {
  const response = await fetch(`${url}/openapi.json`, { signal: AbortSignal.timeout(10_000) }).catch((error: Error) => {
    const fault = tlsFault(error)
    if (fault !== undefined) throw new Error(fault, { cause: error })
    throw error.cause instanceof Error && error.cause.message ? error.cause : error
  })
  const { info } = ((await response.json().catch(() => ({}))) ?? {}) as { info?: { title?: string; version?: string } }
  if (!response.ok || info?.title !== 'Conduct')
    throw new Error(`it returned ${response.status}, and is not a Conduct server`)
  const ahead = Math.round((Date.parse(response.headers.get('date') ?? '') - Date.now()) / 1000)
  return { version: info.version ?? '', ahead: Number.isNaN(ahead) ? 0 : ahead }
}

/** Why no ledger is at that address, by an error of `reach`. */
export function noLedger(url: string, { message }: Error): string {
  return `${url}: ${message}${message.endsWith('?') ? '' : '; is the address right, and does it include the base path?'}`
}
