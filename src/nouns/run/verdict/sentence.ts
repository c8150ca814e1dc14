import { shortened } from '../../../contract/lines.ts'
import type { Evidence } from './evidence.ts'
import type { IsSameTree, Judged, Standing, Verdict, WorkState } from './verdict.ts'

/** What the sentence of a verdict is about. */
interface VerdictReasons {
  verdict: Verdict
  evidence: Evidence | null
  standings: readonly Standing<Judged>[]
  /** The names of the checks that must pass, and the best pass of each. */
  needed: readonly string[]
  bests: readonly (Standing<Judged> | undefined)[]
  state: WorkState
  /** How often the work had changed, as `Judged.workVersion` counts. */
  version: number
  /** Whether somebody else tested a commit of all the work, which the run need not have seen. */
  isCommitted: boolean
  isSame: IsSameTree
}

/** How many names and paths a sentence lists, and how many characters of each it shows. */
const most = { names: 3, paths: 3, length: 80 }

/** A verdict in words. */
export function sentenceOf(reasons: VerdictReasons): string {
  if (reasons.standings.length === 0) return sentenceOfNothing(reasons.needed)
  const clauses = clausesOf(reasons)
  const since = reasons.verdict === 'unchecked' || reasons.verdict === 'verified' ? undefined : sinceOf(reasons)
  const uncommitted = since?.isWhole || reasons.isCommitted ? undefined : pathsIn('not committed', reasons.state)
  const sentence = [...clauses, since?.words, uncommitted].filter(Boolean).join('; ')
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}

/** The sentence for a run without checks. */
export const sentenceOfNothing = (required: readonly string[]) =>
  required.length === 0 ? 'No check has run' : `${listed(required.map(code))} ${hasOrHave(required)} not run`

const hasOrHave = ({ length }: readonly unknown[]) => (length === 1 ? 'has' : 'have')

function clausesOf(reasons: VerdictReasons): string[] {
  switch (reasons.verdict) {
    case 'failing':
      return badOf(reasons, 'fail')
    case 'warned':
      return badOf(reasons, 'warn')
    case 'unchecked':
      return uncheckedOf(reasons)
    case 'stale':
      return [passedOf(staleIn(reasons))]
    case 'verified':
      return verifiedOf(reasons)
  }
}

const verbs = { fail: 'failed', warn: 'gave a warning', pass: 'passed' } as const

/** The strongest and newest of the failures or warnings that count. */
const worstIn = ({ standings, evidence, verdict }: VerdictReasons): Standing<Judged> | undefined =>
  standings.findLast(
    ({ check, isCleared }) =>
      !isCleared && check.evidence === evidence && check.result === (verdict === 'failing' ? 'fail' : 'warn'),
  )

function badOf(reasons: VerdictReasons, result: 'fail' | 'warn'): string[] {
  const worst = worstIn(reasons)
  if (!worst) return []
  const others = reasons.standings.filter(
    ({ check, isCleared }) => !isCleared && check.result === result && check.name !== worst.check.name,
  )
  const names = [...new Set(others.map(({ check }) => code(check.name)))]
  return [
    `${whatOf(worst.check)} ${verbs[result]}${sourceOf(worst.check)}`,
    ...(names.length > 0 ? [`${listed(names)} ${verbs[result]} too`] : []),
  ]
}

/** Who says so, where that is not the author's recorder. */
function sourceOf({ evidence, byName }: Judged): string {
  if (evidence === 'independent') return `, says ${byName} (independent)`
  return evidence === 'self' ? ', as its author claims' : ''
}

function uncheckedOf({ needed, bests, standings }: VerdictReasons): string[] {
  const missing = needed.filter((_, at) => bests[at] === undefined)
  const passes = standings.filter(({ check }) => check.result === 'pass')
  const claims = namesOf(passes.filter(({ check }) => check.evidence === 'self'))
  const [claimed, absent] = [missing.filter((name) => claims.has(name)), missing.filter((name) => !claims.has(name))]
  const others = [...namesOf(passes.filter(({ replacedBy }) => !replacedBy)).difference(new Set(missing))]
  return [
    ...(absent.length > 0 ? [`${listed(absent.map(code))} ${hasOrHave(absent)} not run`] : []),
    ...(claimed.length > 0 ? [`nobody saw ${listed(claimed.map(code))} run, and its author claims a pass`] : []),
    ...(others.length > 0 ? [`${listed(others.map(code))} passed`] : []),
  ]
}

const namesOf = (some: readonly Standing<Judged>[]) => new Set(some.map(({ check }) => check.name))

const staleIn = ({ bests }: VerdictReasons) => bests.find((best) => best && !best.current) as Standing<Judged>

const passedOf = ({ check }: Standing<Judged>) =>
  `${whatOf(check)} passed${check.evidence === 'executed' ? '' : sourceOf(check)}`

function verifiedOf({ bests, evidence }: VerdictReasons): string[] {
  const checks = bests.flatMap((best) => best?.check ?? [])
  const of = (one: Evidence) => checks.filter((check) => check.evidence === one)
  const all = (some: readonly Judged[], wordOf: (check: Judged) => string) => listed([...new Set(some.map(wordOf))])
  const [claims, seen, keys] = [of('self'), of('executed'), of('independent')]
  const saw = `the author's recorder saw ${all(seen, whatOf)} pass`
  const checked = `checked by ${all(keys, ({ byName }) => byName)} (independent)`
  if (evidence === 'independent') {
    return [checked, ...(keys.some(({ isPerson }) => isPerson) ? [] : ['the key names no person'])]
  }
  const others = keys.length > 0 ? [`${all(keys, nameOf)} ${checked}`] : []
  if (evidence === 'executed') return [saw, ...others]
  const claimed =
    claims.length === checks.length ? 'claimed by its author' : `${all(claims, nameOf)} claimed by the author`
  return [claimed, ...(seen.length > 0 ? [saw] : []), ...others]
}

/** Why the check that the verdict is about is not current. `isWhole` if that includes all that is not committed. */
function sinceOf(reasons: VerdictReasons): { words: string; isWhole: boolean } | undefined {
  const about = reasons.verdict === 'stale' ? staleIn(reasons) : worstIn(reasons)
  if (!about || about.current) return undefined
  const { check } = about
  const { state, isSame } = reasons
  if (check.startTree && !check.tree) return { words: 'files changed while it ran', isWhole: false }
  const hasOnlyTree = check.evidence === 'executed' || !check.commit
  if (state.tree && !check.tree && hasOnlyTree) return { words: 'on which files is not known', isWhole: false }
  const paths = isSame(check.tree, state.commitTree) ? pathsIn('changed since', state) : undefined
  return paths ? { words: paths, isWhole: true } : { words: changeOf(check, reasons), isWhole: false }
}

/** Somebody else may have tested other work from the beginning. */
function changeOf({ evidence, workVersion, commit, dirty }: Judged, { state, version }: VerdictReasons): string {
  if (evidence === 'executed' || workVersion < version) return 'the work changed since'
  if (commit && state.commit && commit !== state.commit) return 'it tested another commit'
  return dirty ? 'its files differed from the commit' : 'it tested other files'
}

function pathsIn(words: string, { uncommitted }: WorkState): string | undefined {
  if (!uncommitted || uncommitted.count === 0) return undefined
  const { count, paths } = uncommitted
  if (paths.length === 0) return `${words}: ${count} ${count === 1 ? 'file' : 'files'}`
  const shown = paths.slice(0, most.paths).map(short)
  const more = Math.max(count, paths.length) - shown.length
  return `${words}: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

const nameOf = ({ name }: Judged) => code(name)

/** What ran: the command, else the name of the check. */
const whatOf = ({ command, name }: Judged) => code(command ?? name)

const short = (text: string) => shortened(text.trim().replace(/\s+/g, ' '), most.length)

const code = (text: string) => `\`${short(text).replaceAll('`', "'")}\``

function listed(words: readonly string[]): string {
  const shown = words.slice(0, most.names)
  const more = words.length - shown.length
  if (more > 0) return `${shown.join(', ')} and ${more} more`
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}
