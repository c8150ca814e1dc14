/**
 * The exit code that an agent writes in a line below the output of a command, `Exit Code: 3`. The last such line counts,
 * because the output may contain others. `rest` matches all that the agent writes from there on.
 */
export function exitCodeBelow(text: string, rest: RegExp): number | undefined {
  const end = text.slice(-longest)
  const at = end.lastIndexOf('\nExit Code: ')
  const code = at < 0 ? undefined : rest.exec(end.slice(at))?.[1]
  return code === undefined ? undefined : Number(code)
}

/** The most characters that an agent writes below an output. */
const longest = 4_000
