import { csvLine } from '../../format/csv.ts'
import { Icon } from './icon.tsx'

export type Cell = string | number | null

interface Props {
  /** The file name without its extension. */
  name: string
  /** The first row has the names of the columns. */
  rows: () => Cell[][]
}

/** Downloads a table as shown. */
export function CsvButton({ name, rows }: Props) {
  const download = () => {
    // A byte order mark makes spreadsheets read UTF-8.
    const text = ['\ufeff', ...rows().map(csvLine)]
    const address = URL.createObjectURL(new Blob(text, { type: 'text/csv;charset=utf-8' }))
    const link = document.createElement('a')
    link.href = address
    link.download = `${name}.csv`
    link.click()
    // Once the browser has started to read it.
    setTimeout(() => URL.revokeObjectURL(address), 60_000)
  }
  return (
    <button type="button" onClick={download}>
      <Icon name="save" />
      Download CSV<span class="unseen"> of {name}</span>
    </button>
  )
}
