import { ConductError, firstOf, unknownThere } from '../contract/error.ts'
import { keyAdvice } from '../place/missing.ts'
import { exitCodeOf } from '../terminal/exit.ts'
import { clean, jsonOf } from '../text/clean.ts'

/**
 * Prints to stderr why a command failed and what to do, as an error of the API if the command prints JSON. Sets the
 * exit code.
 */
export function fail(thrown: unknown, json = false) {
  const error = firstOf(thrown)
  process.exitCode = exitCodeOf(error)
  const message = messageOf(error as NodeJS.ErrnoException)
  if (json) {
    const { code, issues, requestId } = error instanceof ConductError ? error : {}
    process.stderr.write(`${jsonOf({ error: message, code, requestId, issues })}\n`)
    return
  }
  const advice = error instanceof ConductError ? adviceOf(error) : undefined
  process.stderr.write(`conduct: ${clean(message)}\n${advice === undefined ? '' : `${advice}\n`}`)
}

const messageOf = ({ syscall, message }: NodeJS.ErrnoException) =>
  syscall === 'uv_cwd' ? 'The current folder no longer exists: change to another one.' : message

/** Ends when the output cannot be written. A reader may stop early: `conduct run list | head -1`. */
export function endWithOutput(json = false) {
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit(0)
    fail(new Error(`Cannot write the output: ${message}`), json)
    process.exit()
  })
}

/** Continues if the output cannot be written, for a command whose output is not its purpose. */
export function outliveOutput(onError: (error: Error) => void) {
  process.stdout.removeAllListeners('error').on('error', onError)
}

/** The next step, if the message of the server cannot know it. */
function adviceOf(error: ConductError): string | undefined {
  const { code, retryAfter } = error
  if (unknownThere(error) !== undefined) {
    return 'If the address is right, the server runs an older Conduct than this command: upgrade it.'
  }
  switch (code) {
    case 'UNAUTHORIZED':
      return keyAdvice
    case 'UNAVAILABLE':
      return 'conduct doctor finds out what is wrong; conduct status shows which ledger is used.'
    case 'RATE_LIMIT_EXCEEDED':
      return retryAfter === undefined ? undefined : `Try again in ${retryAfter} s.`
  }
}
