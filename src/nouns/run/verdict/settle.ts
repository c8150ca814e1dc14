import type { CheckResult } from '../check/fields.ts'
import { normalForm } from './command.ts'
import { evidences } from './evidence.ts'
import type { Judged, Standing } from './verdict.ts'

const strength = ({ evidence }: Pick<Judged, 'evidence'>) => evidences.indexOf(evidence)

const isPass = ({ check }: Standing<Judged>) => check.result === 'pass'

/** What can clear a check of a result: a better one. */
const better: Record<CheckResult, readonly CheckResult[]> = { fail: ['warn', 'pass'], warn: ['pass'], pass: [] }

/** The pass that speaks for a name: a current one where there is one, the strongest of these, the newest of these. */
export const bestOf = <Check extends Judged>(passes: readonly Standing<Check>[]): Standing<Check> | undefined =>
  passes.reduce<Standing<Check> | undefined>((best, one) => (!best || isBetter(one, best) ? one : best), undefined)

function isBetter(one: Standing<Judged>, best: Standing<Judged>): boolean {
  if (one.current !== best.current) return one.current
  const stronger = strength(one.check) - strength(best.check)
  return stronger > 0 || (stronger === 0 && isLater(one, best))
}

/** Finds what replaced each check of one name, given as received. The time grows with them, not with their pairs. */
export function settle<Check extends Judged>(received: readonly Standing<Check>[]): void {
  const named = inOrder(received)
  const commandOf = shortNames()
  const bad = named.filter((one) => !isPass(one))
  const replacing = bad.length > 0 ? replacementsIn(named, commandOf, legsAmong(bad, commandOf)) : nothing
  for (const one of bad) {
    const by = replacing(one, better[one.check.result])
    if (by) Object.assign(one, { isCleared: true, replacedBy: by.check })
  }
  // The same failure again: it counts as before, and only the newest is shown.
  const open = bad.filter(({ isCleared }) => !isCleared)
  const worsening = open.length > 0 ? replacementsIn(open, commandOf, () => 1) : nothing
  for (const one of open) {
    const by = worsening(one, [one.check.result])
    if (by) one.replacedBy = by.check
  }
  const passes = named.filter(isPass)
  const best = bestOf(passes)
  if (!best) return
  const worse = worsening(best, ['fail', 'warn'])
  for (const one of passes) {
    const by = one === best ? worse : best
    const isLeg = one.check.pipeline && one.check.pipeline.id === by?.check.pipeline?.id
    if (by && !isLeg) one.replacedBy = by.check
  }
}

/** Checks, oldest first. One that arrived late comes before the later attempts of its job, wherever these are. */
function inOrder<Check extends Judged>(received: readonly Standing<Check>[]): readonly Standing<Check>[] {
  const highest = new Map<string, Standing<Check>[]>()
  const before = new Map<Standing<Check>, Standing<Check>>()
  for (const one of received) {
    const { pipeline } = one.check
    if (!pipeline) continue
    // Each of a higher attempt than all before it.
    const attempts = highest.get(jobOf(pipeline)) ?? []
    highest.set(jobOf(pipeline), attempts)
    const top = attempts.at(-1)
    if (!top || attemptOf(top) < attemptOf(one)) attempts.push(one)
    else if (attemptOf(top) > attemptOf(one)) before.set(one, attempts[countUntil(one, attempts)] ?? top)
  }
  if (before.size === 0) return received
  const places = received.map(({ at }) => at)
  const placeOf = (one: Standing<Check>) => (before.get(one)?.at ?? one.at) - (before.has(one) ? 0.5 : 0)
  const ordered = received.toSorted((one, other) => placeOf(one) - placeOf(other) || attemptOf(one) - attemptOf(other))
  for (const [n, one] of ordered.entries()) one.at = places[n] as number
  return ordered
}

/** How many of these checks, in the order of their attempts, are of no later attempt than a check. */
function countUntil(one: Standing<Judged>, rising: readonly Standing<Judged>[]): number {
  let [low, high] = [0, rising.length]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (attemptOf(rising[middle]) > attemptOf(one)) high = middle
    else low = middle + 1
  }
  return low
}

const nothing = () => undefined

type LegsOf = (one: Standing<Judged>) => number

/** How many of these checks are alike in their attempt of a job, in result and command: the legs of a matrix may be one job. */
function legsAmong(checks: readonly Standing<Judged>[], commandOf: CommandOf): LegsOf {
  const keyOf = (one: Standing<Judged>) => {
    const { result, pipeline } = one.check
    return pipeline && `${result} ${attemptOf(one)} ${audibleTo(one.check, commandOf)} ${jobOf(pipeline)}`
  }
  const legs = Map.groupBy(checks, keyOf)
  return (one) => legs.get(keyOf(one))?.length ?? 1
}

type CommandOf = (check: Judged) => string

/** Returns a short name for the command of a check, the same for the same command. Each is read once. */
function shortNames(): CommandOf {
  const [byText, byForm] = [new Map<string, string>(), new Map<string, string>()]
  return ({ command }) => {
    if (command === null) return 'none'
    const known = byText.get(command)
    if (known !== undefined) return known
    const form = normalForm(command)
    const name = byForm.get(form) ?? `${byForm.size}`
    byForm.set(form, name)
    byText.set(command, name)
    return name
  }
}

/**
 * Returns what finds the newest of these checks, oldest first, that takes the place of another and has one of the given
 * results. It is later and no less current, or current while the other is not. And it can speak for the other: it is known
 * as well, by the same command, and is no other part of one pipeline. A later attempt of a job speaks for the legs of an
 * earlier one, which `legsOf` counts, once it has as many such checks: if two legs failed in attempt 1, both failures stand
 * until attempt 2 has two passes.
 */
function replacementsIn<Check extends Judged>(
  checks: readonly Standing<Check>[],
  commandOf: CommandOf,
  legsOf: LegsOf,
): (other: Standing<Check>, results: readonly CheckResult[]) => Standing<Check> | undefined {
  const groups = new Map<string, Newest<Check>>()
  for (const one of checks) {
    for (const voice of voicesOf(one.check, commandOf)) {
      for (const when of one.current ? ['ever', 'now'] : ['ever']) {
        const key = `${when} ${one.check.result} ${voice}`
        const group = groups.get(key) ?? { byJob: new Map() }
        groups.set(key, group)
        add(group, one)
      }
    }
  }
  return (other, results) => {
    const voices = audibleTo(other.check, commandOf)
    const newestOf = (when: 'ever' | 'now') => {
      const keys = results.flatMap((result) => voices.map((voice) => `${when} ${result} ${voice}`))
      const found = keys.flatMap((key) => groups.get(key) ?? [])
      const hasAgain = found.reduce((sum, group) => sum + countAgain(other, group), 0) >= legsOf(other)
      return latest(found.flatMap((group) => newestFor(other, group, hasAgain) ?? []))
    }
    const [ever, now] = [other.current ? undefined : newestOf('ever'), newestOf('now')]
    if (isLater(ever, other)) return ever
    return !other.current || isLater(now, other) ? now : undefined
  }
}

const isLater = (one: Standing<Judged> | undefined, other: Standing<Judged>) => one !== undefined && one.at > other.at

const latest = <Check extends Judged>(some: readonly Standing<Check>[]): Standing<Check> | undefined =>
  some.reduce<Standing<Check> | undefined>((last, one) => (last && isLater(last, one) ? last : one), undefined)

/** Under which names a check is found by the checks that it can speak for. */
function voicesOf(check: Judged, commandOf: CommandOf): string[] {
  if (check.evidence === 'independent') return ['independent']
  const command = commandOf(check)
  if (check.evidence === 'executed') return [`executed ${command}`]
  return [`self ${check.by} ${command}`, `self ${check.by} any`]
}

/** Under which names the checks are found that can speak for a check. */
function audibleTo(check: Judged, commandOf: CommandOf): string[] {
  if (check.evidence === 'independent') return ['independent']
  const command = commandOf(check)
  const known = ['independent', `executed ${command}`]
  if (check.evidence === 'executed') return known
  // What somebody claims takes nothing from what somebody else claims. A claim need not name its command.
  const claims = check.command === null ? ['any'] : [command, 'none']
  return [...known, ...claims.map((claim) => `self ${check.by} ${claim}`)]
}

/** What is known of checks that speak alike. */
interface Newest<Check extends Judged> {
  last?: Standing<Check>
  /** The newest that is of another run of a pipeline than the last. */
  other?: Standing<Check> | undefined
  /** By job of a run of a pipeline. The attempts of each do not fall. */
  byJob: Map<string, Standing<Check>[]>
}

function add<Check extends Judged>(group: Newest<Check>, one: Standing<Check>): void {
  if (!isOfSameRun(one, group.last)) group.other = group.last
  group.last = one
  const { pipeline } = one.check
  if (!pipeline) return
  const ofJob = group.byJob.get(jobOf(pipeline)) ?? []
  group.byJob.set(jobOf(pipeline), ofJob)
  ofJob.push(one)
}

/** How many of a group are later attempts of the job of a check. */
function countAgain(one: Standing<Judged>, { byJob }: Newest<Judged>): number {
  const ofJob = (one.check.pipeline && byJob.get(jobOf(one.check.pipeline))) ?? []
  return ofJob.length - countUntil(one, ofJob)
}

/**
 * The newest of a group that is no other part of the run of a pipeline which this check is part of. With `hasAgain`, a later
 * attempt of its job counts, too.
 */
function newestFor<Check extends Judged>(
  one: Standing<Check>,
  group: Newest<Check>,
  hasAgain: boolean,
): Standing<Check> | undefined {
  if (!isOfSameRun(one, group.last)) return group.last
  const { pipeline } = one.check
  const last = hasAgain && pipeline ? group.byJob.get(jobOf(pipeline))?.at(-1) : undefined
  const again = last && attemptOf(last) > attemptOf(one) ? last : undefined
  return latest([group.other, again].filter((found) => found !== undefined))
}

const isOfSameRun = (one: Standing<Judged>, other: Standing<Judged> | undefined) =>
  one.check.pipeline !== null && one.check.pipeline.id === other?.check.pipeline?.id

const jobOf = ({ id, job }: { id: string; job: string }) => JSON.stringify([id, job])

const attemptOf = (one: Standing<Judged> | undefined) => one?.check.pipeline?.attempt ?? 1
