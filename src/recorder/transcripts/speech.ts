import type { Moment } from './moment.ts'

/** The last words of an agent, which end its turn unless more work follows. */
export interface Speech {
  /** The agent said something. `isLast` means that nothing else of the turn has to follow. */
  say(text: string | undefined, at: number, isLast: boolean): void
  /** Nothing that the agent said before ends a turn. */
  forget(): void
  /** The end of the turn, if the last words were one. */
  end(): Moment[]
}

export function createSpeech(): Speech {
  let said: { text: string | undefined; at: number; isLast: boolean } | undefined
  return {
    say(text, at, isLast) {
      said = { text: text ?? said?.text, at, isLast }
    },
    forget() {
      said = undefined
    },
    end() {
      const ended = said
      said = undefined
      if (!ended?.isLast) return []
      const { text, at } = ended
      return [{ at, step: { kind: 'turn', ...(text !== undefined && { answer: text }) } }]
    },
  }
}
