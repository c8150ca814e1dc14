import type { Spec } from '../api/spec.ts'

/** How many items of a checklist a markdown text has, and how many of them are ticked. */
export function checklistOf(content: string): Spec['checklist'] {
  const boxes = content.match(/^[ \t]*(?:[-*+]|\d+[.)]) \[[ xX]\] /gm) ?? []
  return { total: boxes.length, done: boxes.filter((box) => /\[[xX]\]/.test(box)).length }
}
