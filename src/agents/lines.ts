import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Fields, fieldsOf } from './agent.ts'

/** The JSON objects of a file of lines that have a word in them. A line that is being written is passed over. */
export async function* linesWith(path: string, word: string): AsyncGenerator<Fields> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (!line.includes(word)) continue
    try {
      yield fieldsOf(JSON.parse(line))
    } catch {
      // Cut off, or none of ours.
    }
  }
}
