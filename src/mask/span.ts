/** A part of a text to mask, from `start` up to, but not including, `end`. */
export interface Span {
  start: number
  end: number
  /** The replacement; `[masked]` by default. */
  mark?: string
}
