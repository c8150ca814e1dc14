import type { Reply, Tokens } from './model/script.ts'

export const tokens = (input: number, cacheRead: number, cacheWrite: number, output: number): Tokens => ({
  input,
  cacheRead,
  cacheWrite,
  output,
})

/** The model writes a file. */
export const writes = (path: string, content = 'One line.\n'): Reply => ({
  say: `I write ${path}.`,
  does: [{ do: 'write', path, content }],
  tokens: tokens(10, 100, 5, 7),
})

/** The model ends its turn with this text. */
export const done = (say: string): Reply => ({ say, tokens: tokens(11, 110, 0, 3) })

/** The model runs a command that succeeds. */
export const runs = (command: string): Reply => ({
  say: 'I run it.',
  does: [{ do: 'shell', command, exits: 0 }],
  tokens: tokens(10, 100, 5, 7),
})
