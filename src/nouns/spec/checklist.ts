import type { Spec } from './fields.ts'

/** Counts the items and the ticked items of the checklist in a Markdown text, whose lines end at CR and LF only. */
export function checklistOf(content: string): Spec['checklist'] {
  const boxes = content.match(/(?<![^\r\n])[ \t]*(?:[-*+]|\d+[.)]) \[[ xX]\] /g) ?? []
  return { total: boxes.length, done: boxes.filter((box) => /\[[xX]\]/.test(box)).length }
}
