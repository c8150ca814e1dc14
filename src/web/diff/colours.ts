import { createLowlight } from 'lowlight'
import { useEffect, useState } from 'preact/hooks'
import { grammarOf, languageOf } from './languages.ts'

/** A part of a line in one colour; `tone` is a class of the style sheet, or nothing. */
export interface Token {
  text: string
  tone: string
}

const lowlight = createLowlight()

type Nodes = ReturnType<typeof lowlight.highlight>['children']

/** The name of the language of a file once its grammar is loaded. */
export function useLanguage(path: string): string | undefined {
  const language = languageOf(path)
  const [, draw] = useState(false)
  const isLoaded = language !== undefined && lowlight.registered(language)
  useEffect(() => {
    if (language === undefined || isLoaded) return
    let isOver = false
    const load = async () => {
      const grammar = await grammarOf(language)
      if (grammar) lowlight.register(language, grammar)
      if (!isOver) draw(true)
    }
    // Without its colours, the text can be read as well.
    load().catch(() => {})
    return () => {
      isOver = true
    }
  }, [language])
  return isLoaded ? language : undefined
}

/** Longer texts are not coloured: the time that a grammar takes may grow faster than the text. */
const longest = 20_000

/**
 * The lines of a text in their colours. The grammar gives a tree, of which this takes the texts, so nothing in it becomes
 * HTML.
 */
export function colouredLines(lines: string[], language: string | undefined): Token[][] {
  const plain = () => lines.map((text) => [{ text, tone: '' }])
  const length = lines.reduce((sum, line) => sum + line.length + 1, 0)
  if (language === undefined || length > longest) return plain()
  const coloured: Token[][] = [[]]
  const add = (text: string, tone: string) => {
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) coloured.push([])
      if (part !== '') coloured.at(-1)?.push({ text: part, tone })
    }
  }
  const walk = (nodes: Nodes, tone: string) => {
    for (const node of nodes) {
      if (node.type === 'text') add(node.value, tone)
      if (node.type === 'element') walk(node.children, toneOf(node.properties.className) || tone)
    }
  }
  walk(lowlight.highlight(language, lines.join('\n')).children, '')
  // A grammar changes no text. If one did, the numbers of the lines would be wrong.
  return coloured.length === lines.length ? coloured : plain()
}

/** The tones of the style sheet by the names that grammars give. Others have the colour of the text. */
const tones: Record<string, string> = {
  ...all('word', 'keyword', 'selector-tag', 'literal', 'type', 'built_in', 'doctag', 'meta'),
  ...all('text', 'string', 'regexp', 'symbol', 'char', 'link', 'quote', 'code'),
  ...all('number', 'number', 'bullet'),
  ...all('note', 'comment'),
  ...all('name', 'title', 'section', 'name', 'selector-class', 'selector-id'),
  ...all('part', 'attr', 'attribute', 'property', 'variable', 'template-variable'),
}

function all(tone: string, ...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [`hljs-${name}`, `tone-${tone}`]))
}

function toneOf(classes: unknown): string {
  const [first] = Array.isArray(classes) ? classes : []
  return typeof first === 'string' && Object.hasOwn(tones, first) ? (tones[first] ?? '') : ''
}
