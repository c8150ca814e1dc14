import { csvLine } from '../../contract/csv-line.ts'
import { Icon } from './icon.tsx'
import { saveFile } from './save.ts'

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
