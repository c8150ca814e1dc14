import assert from 'node:assert/strict'
import { z } from 'zod'
import { inOrder } from '../scripts/generate.ts'
import { addressOf, type Name } from '../src/contract/paths.ts'
import { csvPlanOf } from '../src/operations/csv.ts'
import { exampleKey, type Route, routes } from '../src/operations/routes.ts'
import { testLedger } from './support/engines.ts'

/** Values of all forms, most of which match nothing in the examples. */
const strangers = ['zzz', 'zz:zz', '0000000', 1, 999_999, true, '1990-01-01T00:00:00Z', '2999-01-01T00:00:00Z']

/** Values that a filter takes, of which one at least matches nothing. */
function valuesOf(filter: z.ZodType): unknown[] {
  const json = JSON.stringify(z.toJSONSchema(filter, { io: 'input', unrepresentable: 'any' }))
  const words = [...json.matchAll(/"enum":(\[[^\]]*\])/g)].flatMap(([, list = '[]']) => JSON.parse(list) as string[])
  const all = [...strangers, ...words]
  return [...all, ...all.map((one) => [one])].filter((one) => filter.safeParse(one).success)
}

/** The filters of an operation, and the input that it needs beside them. */
function filtersOf(name: Name) {
  const { input, example }: Route = routes[name]
  const others = [...addressOf(name).params, 'limit', 'cursor', 'order']
  const isFilter = (field: string) => !others.includes(field) && input.shape[field]?.safeParse(undefined).success
  const needed = Object.entries(example).filter(([field]) => !isFilter(field))
  return {
    filters: Object.entries(input.shape as Record<string, z.ZodType>).filter(([field]) => isFilter(field)),
    needed: Object.fromEntries(needed),
  }
}

testLedger('no list ignores one of its filters', async ({ client, adminKey }) => {
  const call = async (name: Name, input: object) =>
    JSON.stringify(await (client[name] as (input: object) => Promise<unknown>)(input))
  await client.createRun({ runId: 'RUN-900', status: 'failed', agent: 'ada' })
  for (const name of inOrder.filter((name) => addressOf(name).method === 'POST')) {
    await call(name, JSON.parse(JSON.stringify(routes[name].example).replace(exampleKey, adminKey)))
  }
  for (const name of inOrder.filter(csvPlanOf)) {
    const { filters, needed } = filtersOf(name)
    const all = await call(name, needed)
    for (const [field, filter] of filters) {
      let isHeeded = false
      for (const value of valuesOf(filter)) {
        isHeeded ||= (await call(name, { ...needed, [field]: value }).catch(() => 'refused')) !== all
      }
      assert.ok(isHeeded, `${name} ignores ${field}`)
    }
  }
})
