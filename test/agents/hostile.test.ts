import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readDocument } from '../../src/recorder/agents/read.ts'
import { readTranscript, readWritten } from '../../src/recorder/agents/transcript.ts'
import { contentBefore } from '../../src/recorder/transcripts/written.ts'
import { size } from '../proof/size.ts'
import { assertLinear, mebibyte, type Shape } from '../support/linear.ts'
import { documented, documentOf, namesOf, transcriptOf } from './documents.ts'

const longest = size(mebibyte / 128, mebibyte)

/** Characters and words that the readers search a text for. */
const units = [
  'a',
  ' ',
  '\n',
  '/',
  '\\',
  '"',
  "'",
  '[',
  '{"a":',
  '\n*** Update File: a',
  '\n+',
  '&&',
  ';',
  '$(',
  '<',
  '\0',
  '€',
]
const words = [
  '\nExit Code: 1',
  '\nSignal: 1\nA: b',
  ' exit code 1',
  '(exit code 1)',
  ' requires approval',
  '<system-reminder>',
]
const texts = [...units, ...words].map(
  (unit): Shape =>
    (length) =>
      unit.repeat(length / unit.length),
)

/** The paths of all texts in a JSON value. */
function placesIn(value: unknown, at: string[] = []): string[][] {
  if (typeof value === 'string') return [at]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, one]) => placesIn(one, [...at, key]))
}

/** The value with another text at some of its paths. */
function withText<Value>(value: Value, places: string[][], text: string): Value {
  const copy = structuredClone(value)
  for (const place of places) {
    let holder = copy as Record<string, unknown>
    for (const key of place.slice(0, -1)) holder = holder[key] as Record<string, unknown>
    holder[place.at(-1) as string] = text
  }
  return copy
}

for (const agent of documented) {
  test(`each field of a hook document of ${agent} may have ${longest / 1024} KiB`, async () => {
    for (const name of namesOf(agent)) {
      const document = documentOf(agent, name)
      for (const place of placesIn(document)) {
        const read = (text: string) => readDocument(agent, withText(document, [place], text), {})
        await assertLinear(texts, read, longest)
      }
    }
  })
}

for (const agent of documented.filter((agent) => existsSync(transcriptOf(agent)))) {
  test(`the texts in a transcript of ${agent} may have ${longest / 1024} KiB`, async (t) => {
    const name = agent === 'claude' ? 'claude-code' : agent
    await requireLinear(t, transcriptOf(agent), async (path) => void (await readTranscript(name, path)))
  })
}

for (const agent of ['copilot', 'gemini', 'qwen', 'droid']) {
  test(`the texts that tools of ${agent} wrote may have ${longest / 1024} KiB`, async (t) => {
    await requireLinear(t, transcriptOf(`${agent}-written`), async (path, text) => {
      for await (const { written = [] } of (await readWritten(agent, path, [])) ?? [])
        for (const one of written) contentBefore(one, text)
    })
  })
}

/** Reads a transcript with long texts, which must take linear time. */
async function requireLinear(t: TestContext, file: string, read: (path: string, text: string) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), 'conduct-transcript-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  const documents = lines.map((line): unknown => JSON.parse(line))
  // Short texts are names that the reader must find unchanged.
  const isText = (document: unknown) => (place: string[]) => String(at(document, place)).length > 40
  const places = documents.map((document) => placesIn(document).filter(isText(document)))
  const count = places.reduce((sum, some) => sum + some.length, 0)
  const shapes = texts.map(
    (shape): Shape =>
      (length) =>
        shape(length / count),
  )
  let files = 0
  await assertLinear(
    shapes,
    async (text) => {
      const path = join(folder, `${files++}.jsonl`)
      const changed = documents.map((document, n) => withText(document, places[n] as string[][], text))
      writeFileSync(path, changed.map((one) => JSON.stringify(one)).join('\n'))
      await read(path, text)
      rmSync(path)
    },
    longest,
  )
}

const at = (value: unknown, place: string[]): unknown =>
  place.reduce((holder, key) => (holder as Record<string, unknown>)[key], value)
