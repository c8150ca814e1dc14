import type { ConductError } from '../../client/client.ts'

const isTime = (path: string) => path === 'startedAt' || path === 'endedAt'

/** Whether a server refused a call for a time in it. */
export const isTimeRefused = ({ code, issues = [] }: ConductError): boolean =>
  code === 'VALIDATION_ERROR' && issues.some(({ path }) => isTime(path))

/** A clock that is less ahead is not why a time was refused, in milliseconds. */
const leastMs = 60_000

/**
 * By how many milliseconds the clock of this machine is ahead of that of the server, which refused a time for that;
 * undefined if the server says nothing of its own time.
 */
export function aheadMs({ issues = [] }: ConductError): number | undefined {
  const [, time = ''] = /\bwhere it is (\S+),/.exec(issues.find(({ path }) => isTime(path))?.message ?? '') ?? []
  const ms = Date.now() - Date.parse(time)
  return ms > leastMs ? Math.round(ms) : undefined
}

type Input = Record<string, unknown>

/** The input with its times by the clock of the server, so that they stay as far apart as they are. */
export function byServerClock(input: Input, ahead: number | null): Input {
  if (ahead === null) return input
  const { startedAt, endedAt, commands, ...rest } = input
  return {
    ...rest,
    ...(startedAt !== undefined && { startedAt: earlier(startedAt, ahead) }),
    ...(endedAt !== undefined && { endedAt: earlier(endedAt, ahead) }),
    ...(Array.isArray(commands) && {
      commands: commands.map(({ at, ...ran }: Input) => ({
        ...ran,
        ...(at !== undefined && { at: earlier(at, ahead) }),
      })),
    }),
  }
}

const earlier = (time: unknown, ms: number) => new Date(Date.parse(String(time)) - ms).toISOString()
