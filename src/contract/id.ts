/** The form of all ids that people choose and read. */
export const humanIdPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/

/** The nouns with generated ids, and the prefixes of these ids. */
const prefixes = { run: 'RUN', spec: 'SPEC', check: 'CHECK' } as const
export type Numbered = keyof typeof prefixes

/** `RUN-007` for 7. */
export const idOf = (noun: Numbered, n: number) => `${prefixes[noun]}-${String(n).padStart(3, '0')}`

/** The n of an explicit `RUN-<n>`, so that the counter can skip it; undefined for other ids. */
export function numberOf(noun: Numbered, id: string): number | undefined {
  const prefix = `${prefixes[noun]}-`
  return id.startsWith(prefix) && /^\d{1,15}$/.test(id.slice(prefix.length))
    ? Number(id.slice(prefix.length))
    : undefined
}
