import type { LanguageFn } from 'highlight.js'

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
export async function grammarOf(language: string): Promise<LanguageFn | undefined> {
  return Object.hasOwn(languages, language) ? (await languages[language]?.())?.default : undefined
}
