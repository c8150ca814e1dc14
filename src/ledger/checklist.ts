import type { Spec } from '../api/spec.ts'

/** Counts the items and the ticked items of the checklist in a Markdown text. */
export function checklistOf(content: string): Spec['checklist'] {
  const boxes = content.match(/^[ \t]*(?:[-*+]|\d+[.)]) \[[ xX]\] /gm) ?? []
  return { total: boxes.length, done: boxes.filter((box) => /\[[xX]\]/.test(box)).length }
}
