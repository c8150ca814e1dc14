import type { Spec } from './fields.ts'

/**
 * Counts the items and the ticked items of the checklist in a Markdown text, whose lines end at CR and LF only. Items in
 * code and in HTML comments do not count.
 */
export function checklistOf(content: string): Spec['checklist'] {
  const blocks = new Blocks()
  const list = { total: 0, done: 0 }
  for (const line of content.split(/\r\n|[\r\n]/)) {
    const box = blocks.shows(line) ? /^[ \t]*(?:[-*+]|\d+[.)]) \[([ xX])\] /.exec(line)?.[1] : undefined
    if (box === undefined) continue
    list.total++
    if (box !== ' ') list.done++
  }
  return list
}

/** From so many columns on, an indented line outside a list is code. */
const codeIndent = 4

/**
 * The block structure of CommonMark, as far as it tells what hides a line. It finds no indented code in lists: authors
 * indent nested items by any number of spaces.
 */
class Blocks {
  /** The columns at which the texts of the open list items begin, the outermost first. */
  readonly #items: number[] = []
  #isParagraph = false
  /** Whether a line ends the open fence or comment. */
  #endsAt: ((text: string, indent: number) => boolean) | undefined

  /** Whether the next line is outside code and HTML comments. */
  shows(line: string): boolean {
    const space = /^[ \t]*/.exec(line)?.[0] ?? ''
    const text = line.slice(space.length)
    const indent = widthOf(space)
    if (text === '') this.#isParagraph = false
    if (text === '') return false
    if (this.#endsAt && indent >= this.#start) {
      if (this.#endsAt(text, indent)) this.#endsAt = undefined
      return false
    }
    this.#endsAt = undefined
    const [all = '', marker = '', gap = ''] = /^([-*+]|\d{1,9}[.)])(?:([ \t]+)|$)/.exec(text) ?? []
    const content = text.slice(all.length)
    const kind = kindOf(content)
    // Such a line continues a paragraph of the item, although it is not indented.
    const isLazy = this.#isParagraph && marker === '' && kind === 'text'
    while (!isLazy && this.#start > indent) this.#items.pop()
    if (this.#items.length === 0 && indent >= codeIndent) return this.#isParagraph
    if (marker !== '') this.#items.push(indent + marker.length + gapOf(gap, indent + marker.length, content))
    this.#isParagraph = kind === 'text' && content !== ''
    if (kind === 'fence') this.#endsAt = fenceEnd(content, Math.max(indent, this.#start + codeIndent - 1))
    if (kind === 'comment' && !hasCommentEnd(content)) this.#endsAt = hasCommentEnd
    return true
  }

  /** The column at which the text of the innermost item begins. */
  get #start(): number {
    return this.#items.at(-1) ?? 0
  }
}

function kindOf(content: string): 'fence' | 'comment' | 'heading' | 'text' {
  if (/^(?:`{3,}[^`]*$|~{3})/.test(content)) return 'fence'
  if (content.startsWith('<!--')) return 'comment'
  return /^#{1,6}(?:[ \t]|$)/.test(content) ? 'heading' : 'text'
}

/** What ends a fence: at least as many of its characters, with nothing after them, no deeper than that column. */
function fenceEnd(opening: string, deepest: number) {
  const fence = /^(?:`+|~+)/.exec(opening)?.[0] ?? ''
  return (text: string, indent: number) =>
    indent <= deepest && (/^(`+|~+)[ \t]*$/.exec(text)?.[1] ?? '').startsWith(fence)
}

const hasCommentEnd = (text: string) => text.includes('-->')

/** How far the text of an item is from its marker. What is further begins with code. */
function gapOf(gap: string, column: number, content: string): number {
  const width = widthOf(gap, column)
  return content === '' || width > codeIndent ? 1 : width
}

/** The columns of a space that begins at a column. Tabs stop at each fourth. */
function widthOf(space: string, column = 0): number {
  let end = column
  for (const one of space) end = one === '\t' ? end - (end % 4) + 4 : end + 1
  return end - column
}
