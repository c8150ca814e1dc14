import { type Client, ConductError } from '../../client/client.ts'
import { UsageError } from '../../terminal/exit.ts'

type Input = Record<string, unknown>

/** Parses how people refer to a feature: a whole number is its number, anything else its name. */
export const featureOf = (text: string): number | string => (/^[1-9]\d{0,15}$/.test(text) ? Number(text) : text)

/** Replaces the names of features in these fields by their numbers. Throws NOT_FOUND if no feature has that name. */
export async function numberFeatures(fields: string[], client: Client, input: Input) {
  for (const field of fields) {
    const name = input[field]
    if (typeof name === 'string')
      input[field] = await numberOfFeature(client, name, input.project as string[] | undefined)
  }
}

async function numberOfFeature(client: Client, name: string, project: string[] | undefined): Promise<number> {
  const numbers = new Set<number>()
  for await (const feature of client.all('listFeatures', { q: name, limit: 100, project })) {
    if (feature.name === name) numbers.add(feature.id)
  }
  const [number, ...others] = numbers
  if (number === undefined) {
    throw new ConductError(
      'NOT_FOUND',
      `There is no feature '${name}'. To look for one: conduct feature list --q <part of its name>`,
    )
  }
  if (others.length > 0) {
    throw new UsageError(
      `'${name}' is feature ${[...numbers].join(' or ')}, depending on the project: give a number, or one --project.`,
    )
  }
  return number
}
