import { Component } from 'preact'
import { nameOf } from '../../contract/person.ts'
import type { Run } from '../../nouns/run/fields.ts'
import { href } from '../app/router.ts'
import { lookOf, Outcome, Status, saysVerdict, verdictLooks } from '../ui/status.tsx'
import { whyFailed } from '../ui/text.tsx'
import { Ago } from '../ui/time.tsx'
import type { RunColumn } from './columns.tsx'

interface Props {
  run: Run
  row: number
  columns: RunColumn[]
  isPicked: boolean
  onFocus: (run: Run) => void
  onPick: (run: Run) => void
}

/** Draws again only when its run changes, so scrolling draws only rows that become visible. */
export class RunTableRow extends Component<Props> {
  override shouldComponentUpdate({ run, row, columns, isPicked }: Props) {
    const names = (some: RunColumn[]) => some.map(({ name }) => name).join()
    const before = this.props
    return (
      run !== before.run ||
      row !== before.row ||
      isPicked !== before.isPicked ||
      names(columns) !== names(before.columns)
    )
  }

  render() {
    const { run, row, columns, isPicked, onFocus, onPick } = this.props
    const why = whyFailed(run)
    const isNarrow = columns.length === 0
    const hasNo = (column: string) => columns.every(({ name }) => name !== column)
    return (
      <tr aria-rowindex={row + 2}>
        <td class="pick">
          <input
            type="checkbox"
            aria-label={`Pick ${run.runId} to compare`}
            checked={isPicked}
            onChange={() => onPick(run)}
          />
        </td>
        <td>{hasNo('verdict') ? <Outcome run={run} /> : <Status run={run} />}</td>
        <td class="wide">
          <a
            class="title"
            data-row={row}
            href={href(['runs', run.project, run.runId])}
            title={run.title ?? undefined}
            onFocus={() => onFocus(run)}
          >
            {run.title ?? run.runId}
          </a>
          <span class="id" title={run.failure?.message}>
            {run.project} / {run.runId}
            {isNarrow && saysVerdict(run) && ` · ${lookOf(verdictLooks, run.verdict).word}`}
            {isNarrow && why && ` · ${why}`}
            {run.author && hasNo('author') && ` · ${nameOf(run.author)}`}
            {run.attempt > 1 && ` · attempt ${run.attempt}`}
            {why && !isNarrow && hasNo('failure') && ` · ${why}`}
          </span>
        </td>
        {columns.map(({ name, isNumber, show }) => (
          <td key={name} class={isNumber ? 'number' : undefined}>
            {show(run)}
          </td>
        ))}
        <td class="number">
          <Ago at={run.createdAt} />
        </td>
      </tr>
    )
  }
}
