import { spanOf } from '../../contract/span.ts'
import type { Turn } from '../../nouns/run/turn-fields.ts'
import { href, type Route } from '../app/router.ts'
import { Icon } from '../ui/icon.tsx'
import { Badge } from '../ui/status.tsx'
import { costOfUse, plural } from '../ui/words.ts'
import { Changes } from './changes.tsx'

/** The first line of the prompt. */
export const titleOf = ({ prompt, erasedAt }: Pick<Turn, 'prompt' | 'erasedAt'>): string =>
  prompt?.trim().split('\n', 1)[0]?.slice(0, 300) ||
  (erasedAt ? 'Texts erased' : 'The agent continued without a prompt')

/** How many of its commands failed. */
export const failedOf = ({ commands = [] }: Pick<Turn, 'commands'>): number =>
  commands.filter(({ exitCode = 0 }) => exitCode !== 0).length

interface Props {
  turn: Turn
  route: Route
  isOpen: boolean
  onToggle: () => void
}

/** A turn in a line: its prompt, what it did, what failed, its cost and its time. */
export function TurnHead({ turn, route, isOpen, onToggle }: Props) {
  const { n, startedAt, endedAt, usage, failure, interrupted } = turn
  const tookMs = startedAt && endedAt ? Date.parse(endedAt) - Date.parse(startedAt) : undefined
  return (
    <header>
      <a class="n" href={href(route.path, { turn: n })}>
        <span class="unseen">Turn </span>
        {n}
      </a>
      <h3>
        <button type="button" aria-expanded={isOpen} data-turn={n} onClick={onToggle}>
          <Icon name="down" />
          {failure && <Badge look={{ word: 'Failed', icon: 'cross', tone: 'bad' }} title={failure.message} />}
          {interrupted && <Badge look={{ word: 'Interrupted', icon: 'warn', tone: 'doubt' }} />}
          <span class="asked">{titleOf(turn)}</span>
        </button>
      </h3>
      <span class="did">
        <FilesOf turn={turn} route={route} />
      </span>
      <span class="did">
        <CommandsOf turn={turn} />
      </span>
      <span class="number" title={usage?.costSource === 'estimated' ? 'Estimated from public prices' : 'Cost'}>
        {costOfUse(usage)}
      </span>
      <span class="number">{tookMs === undefined ? '' : spanOf(tookMs)}</span>
    </header>
  )
}

/** The number of its files, with a link to their changes. */
function FilesOf({ turn: { n, files = [], filesOmitted = 0 }, route }: Pick<Props, 'turn' | 'route'>) {
  if (files.length === 0) return null
  const sum = (of: 'insertions' | 'deletions') =>
    files.some((file) => file[of] !== undefined) ? files.reduce((sum, file) => sum + (file[of] ?? 0), 0) : undefined
  const changes = { files: files.length + filesOmitted, insertions: sum('insertions'), deletions: sum('deletions') }
  return (
    <a href={href(route.path, { view: 'changes', turn: n })}>
      <Changes changes={changes} />
    </a>
  )
}

function CommandsOf({ turn }: Pick<Props, 'turn'>) {
  const { commands = [] } = turn
  if (commands.length === 0) return null
  const failed = failedOf(turn)
  if (failed === 0) return <span>{plural(commands.length, 'command')}</span>
  return (
    <span class="error-text">
      {commands.length === 1 ? '1 command' : `${failed} of ${commands.length} commands`} failed
    </span>
  )
}
