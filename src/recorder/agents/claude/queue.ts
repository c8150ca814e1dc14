import { type Fields, startOf } from '../fields.ts'

/** The messages that wait until Claude Code takes them. */
export interface Queue {
  change(operation: Fields, at: number): void
  /** When the user sent the message with that text, which leaves the queue; undefined for one that did not wait. */
  take(prompt: string): number | undefined
}

/** How many messages to remember, and how much of each. */
const most = { messages: 1_000, characters: 1_000 }

export function createQueue(): Queue {
  const waiting: { text: string; at: number }[] = []
  const shortOf = (text: string) => startOf(text.trim(), most.characters)
  return {
    change({ operation, content }, at) {
      if (operation !== 'enqueue' || typeof content !== 'string') return
      waiting.push({ text: shortOf(content), at })
      if (waiting.length > most.messages) waiting.shift()
    },
    take(prompt) {
      const text = shortOf(prompt)
      const index = waiting.findIndex((one) => one.text === text)
      return index < 0 ? undefined : waiting.splice(index, 1)[0]?.at
    },
  }
}
