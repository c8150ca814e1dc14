/** A part of a text, from `start` until before `end`, that must not be shown. */
export interface Span {
  start: number
  end: number
  /** What stands there instead, unless it is `[masked]`. */
  mark?: string
}
