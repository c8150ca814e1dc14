import { z } from 'zod'
import { addressOf, type Name, names } from '../../contract/paths.ts'
import { type Route, routes } from '../../operations/routes.ts'
import { kebab } from '../../terminal/option.ts'
import { commandLine } from '../../terminal/text.ts'
import { type Flag, type FlagSchema, flagsOf, nonNull, wordsOfInput } from './flag.ts'

/** A positional argument of a command. */
export interface Operand {
  field: string
  kind: 'text' | 'number' | 'file' | 'words' | 'ids' | 'feature' | 'features'
  required: boolean
}

/** An API operation as a command. */
export interface Plan {
  name: Name
  route: Route
  /** The words of the command: `run`, `create`. */
  words: string[]
  operands: Operand[]
  flags: Flag[]
  /** The fields that hold a feature, which people may give by name. */
  features: string[]
  /** The fields that accept null. */
  clearable: string[]
  isWrite: boolean
  /** Whether it returns one page after another. */
  isPaged: boolean
  /** Whether its `--project` selects what to search rather than where to act. */
  hasProject: boolean
  /**
   * Whether it acts in a project. Projects, keys, sessions, webhooks and the log belong to the server; a new key or
   * webhook may be limited to one project.
   */
  actsInProject: boolean
}

/** `run create` for createRun, `run list` for listRuns; empty for an operation without a command. */
function wordsOf(name: Name): string[] {
  const { words }: Route = routes[name]
  if (words !== undefined) return words?.split(' ') ?? []
  const [, verb = '', noun = ''] = /^([a-z]+)([A-Z]\w*?)s?$/.exec(name) ?? []
  return [noun.toLowerCase(), verb]
}

export function planOf(name: Name): Plan {
  const route: Route = routes[name]
  const { method, path, params } = addressOf(name)
  const schema = z.toJSONSchema(route.input, { io: 'input', unrepresentable: 'any' }) as FlagSchema
  const { properties = {}, required = [] } = schema
  const isFeature = (field: string) => field === 'featureId' || (field === 'id' && path.startsWith('/v1/features/'))
  const operands: Operand[] = params.map((field) => ({
    field,
    kind: isFeature(field) ? 'feature' : properties[field]?.type === 'integer' ? 'number' : 'text',
    required: true,
  }))
  for (const field of Object.keys(properties)) {
    const kind = kindOf(name, field)
    if (kind) operands.push({ field, kind, required: kind === 'features' || required.includes(field) })
  }
  const others = Object.entries(properties).filter(
    ([field]) =>
      !operands.some((operand) => operand.field === field) && !(name === 'linkFeatures' && field === 'featureIds'),
  )
  return {
    name,
    route,
    words: wordsOf(name),
    operands,
    features: Object.keys(properties).filter(isFeature),
    flags: others.flatMap(([field, inner]) => flagsOf(field, inner, required.includes(field) && field !== asked)),
    clearable: method === 'PATCH' ? others.filter(([, inner]) => nonNull(inner).nullable).map(([field]) => field) : [],
    isWrite: method !== 'GET',
    isPaged: 'meta' in route.output.shape && ('cursor' in properties || 'after' in properties),
    hasProject: 'project' in properties,
    actsInProject: 'project' in properties || !/^\/v1\/(projects|auth|log|webhooks)\b/.test(path),
  }
}

/** A field that the command asks for at a terminal. */
const asked = 'confirm'

/** Content comes from a file, and a search takes several words. */
function kindOf(name: Name, field: string): Operand['kind'] | undefined {
  if (field === 'content' || field === 'text') return 'file'
  if (name === 'search' && field === 'q') return 'words'
  if (name === 'getProof' && field === 'seq') return 'number'
  if (name === 'linkFeatures' && field === 'features') return 'features'
  if (name === 'updateAttention' && field === 'runIds') return 'ids'
}

/** All operations whose command begins with that word. */
export const plansOf = (word: string) => names.filter((name) => wordsOf(name)[0] === word).map(planOf)

/** `run-id`, or `file` for content. */
export const shownName = ({ field, kind }: Operand) =>
  kind === 'file' || kind === 'words' || kind === 'feature' ? kind : kebab(field)

/** The name on the command line of the input field at that path (`git.commit`): `--git-commit`, `<run-id>`. */
export function nameOf({ operands, flags }: Plan, path: string): string {
  const [field = '', ...rest] = path.split('.')
  const inner = `${rest.join('.')}.`
  const operand = operands.find((one) => one.field === field)
  if (operand) return `<${shownName(operand)}>`
  const flag = flags.find((one) => one.field === field && (one.part === undefined || inner.startsWith(`${one.part}.`)))
  return flag?.name ?? path
}

/** The example of the API table as a command line. Content is read from `file`. */
export function exampleOf({ route: { example }, words, operands, flags }: Plan, file: string): string {
  const given = operands.flatMap(({ field, kind }) => {
    const value = kind === 'features' ? example.featureIds : example[field]
    if (value === undefined) return []
    return kind === 'file' ? [file] : [value].flat().map(String)
  })
  return commandLine(['conduct', ...words, ...given, ...wordsOfInput(flags, example)])
}
