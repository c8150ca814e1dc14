import type { ChildProcess } from 'node:child_process'
import { here } from './system.ts'

/** The signals that tell a program to end in order. Windows sends SIGHUP when a console is closed, and no SIGTERM. */
export const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** What a terminal's keys send to all its programs. Windows has no SIGQUIT. */
export const keySignals = ['SIGINT', 'SIGQUIT'] as const

/** Passes a signal on. Windows has none: it can only end a process. */
export function passOn(signal: NodeJS.Signals, child: ChildProcess | undefined) {
  child?.kill(here === 'posix' ? signal : 'SIGTERM')
}
