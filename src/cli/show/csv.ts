import { type CsvPlan, csvOf } from '../../operations/csv.ts'
import { clean } from '../../terminal/text.ts'

/** Prints answers of one list page after page as CSV, with one header. */
export function csvPrinter(plan: CsvPlan): (answer: Record<string, unknown>) => void {
  let isFirst = true
  return (answer) => {
    const text = csvOf(plan, answer, isFirst)
    isFirst = false
    process.stdout.write(process.stdout.isTTY ? clean(text) : text)
  }
}
