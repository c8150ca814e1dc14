import { csvLine } from '../../contract/csv-line.ts'
import type { Growing } from '../data/runs/growing.ts'
import { Icon } from './icon.tsx'

/** Lets the browser download a file with these pieces of text. */
function saveFile(name: string, type: string, pieces: string[]): void {
  const address = URL.createObjectURL(new Blob(pieces, { type: `${type};charset=utf-8` }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // Once the browser has started to read it.
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}

export type Cell = string | number | null

interface Props {
  /** The file name without its extension. */
  name: string
  /** The first row has the names of the columns. */
  rows: () => Cell[][]
}

/** Downloads a table as shown. */
export function CsvButton({ name, rows }: Props) {
  // A byte order mark makes spreadsheets read UTF-8.
  const download = () => saveFile(`${name}.csv`, 'text/csv', ['\ufeff', ...rows().map(csvLine)])
  return (
    <button type="button" onClick={download}>
      <Icon name="save" />
      Download CSV<span class="unseen"> of {name}</span>
    </button>
  )
}

/** Downloads a log as the ledger keeps it: with its escape sequences, and a line about each gap. */
export const Download = ({ name, text }: { name: string; text: Growing }) => (
  <button
    type="button"
    class="plain"
    title="Download the log"
    onClick={() => saveFile(name, 'text/plain', text.pieces)}
  >
    <Icon name="save" />
    <span class="unseen">Download the log</span>
  </button>
)
