import type { LanguageFn } from 'highlight.js'
import { createLowlight } from 'lowlight'
import { useEffect, useState } from 'preact/hooks'

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

type Load = () => Promise<{ default: LanguageFn }>

/** The languages whose colours the page knows, each loaded when a file of it is first shown. */
const languages: Record<string, Load> = {
  bash: () => import('highlight.js/lib/languages/bash'),
  c: () => import('highlight.js/lib/languages/c'),
  clojure: () => import('highlight.js/lib/languages/clojure'),
  cpp: () => import('highlight.js/lib/languages/cpp'),
  csharp: () => import('highlight.js/lib/languages/csharp'),
  css: () => import('highlight.js/lib/languages/css'),
  dart: () => import('highlight.js/lib/languages/dart'),
  dockerfile: () => import('highlight.js/lib/languages/dockerfile'),
  elixir: () => import('highlight.js/lib/languages/elixir'),
  go: () => import('highlight.js/lib/languages/go'),
  graphql: () => import('highlight.js/lib/languages/graphql'),
  haskell: () => import('highlight.js/lib/languages/haskell'),
  ini: () => import('highlight.js/lib/languages/ini'),
  java: () => import('highlight.js/lib/languages/java'),
  javascript: () => import('highlight.js/lib/languages/javascript'),
  json: () => import('highlight.js/lib/languages/json'),
  kotlin: () => import('highlight.js/lib/languages/kotlin'),
  lua: () => import('highlight.js/lib/languages/lua'),
  makefile: () => import('highlight.js/lib/languages/makefile'),
  markdown: () => import('highlight.js/lib/languages/markdown'),
  perl: () => import('highlight.js/lib/languages/perl'),
  php: () => import('highlight.js/lib/languages/php'),
  protobuf: () => import('highlight.js/lib/languages/protobuf'),
  python: () => import('highlight.js/lib/languages/python'),
  r: () => import('highlight.js/lib/languages/r'),
  ruby: () => import('highlight.js/lib/languages/ruby'),
  rust: () => import('highlight.js/lib/languages/rust'),
  scala: () => import('highlight.js/lib/languages/scala'),
  scss: () => import('highlight.js/lib/languages/scss'),
  sql: () => import('highlight.js/lib/languages/sql'),
  swift: () => import('highlight.js/lib/languages/swift'),
  typescript: () => import('highlight.js/lib/languages/typescript'),
  xml: () => import('highlight.js/lib/languages/xml'),
  yaml: () => import('highlight.js/lib/languages/yaml'),
}

/** Languages by the ends of file names, where they are not called the same. */
const byEnd: Record<string, string> = {
  ...named('bash', 'sh', 'zsh', 'bats'),
  ...named('c', 'h'),
  ...named('clojure', 'clj', 'cljs', 'edn'),
  ...named('cpp', 'cc', 'cxx', 'hpp', 'hh'),
  ...named('csharp', 'cs'),
  ...named('css', 'css'),
  ...named('elixir', 'ex', 'exs'),
  ...named('graphql', 'gql'),
  ...named('haskell', 'hs'),
  ...named('ini', 'toml', 'cfg', 'conf', 'env'),
  ...named('javascript', 'js', 'jsx', 'mjs', 'cjs'),
  ...named('json', 'jsonc', 'json5', 'webmanifest'),
  ...named('kotlin', 'kt', 'kts'),
  ...named('makefile', 'mk'),
  ...named('markdown', 'md', 'mdx'),
  ...named('perl', 'pl', 'pm'),
  ...named('protobuf', 'proto'),
  ...named('python', 'py', 'pyi'),
  ...named('ruby', 'rb', 'rake', 'gemspec'),
  ...named('rust', 'rs'),
  ...named('scss', 'sass', 'less'),
  ...named('typescript', 'ts', 'tsx', 'mts', 'cts'),
  ...named('xml', 'html', 'htm', 'svg', 'vue', 'svelte', 'plist'),
  ...named('yaml', 'yml'),
}

function named(language: string, ...ends: string[]): Record<string, string> {
  return Object.fromEntries(ends.map((end) => [end, language]))
}

/** The language of a file by its name; undefined if the page does not know its colours. */
export function languageOf(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  const end = name.slice(name.lastIndexOf('.') + 1)
  const language = Object.hasOwn(byEnd, end) ? byEnd[end] : end
  return language !== undefined && Object.hasOwn(languages, language) ? language : undefined
}

/** The grammar of a language that `languageOf` names. */
async function grammarOf(language: string): Promise<LanguageFn | undefined> {
  return Object.hasOwn(languages, language) ? (await languages[language]?.())?.default : undefined
}
