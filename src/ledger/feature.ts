/** The largest number by which a caller may name a feature that does not exist yet. */
export const maxFeatureNumber = 2_147_483_647

/** The name that a feature has while it is known by its number alone. */
export const placeholderName = (number: number) => `feature-${number}`

/** The number to which the name `feature-<n>` belongs; undefined for other names. */
export function numberOfName(name: string): number | undefined {
  const number = Number(/^feature-([1-9]\d{0,9})$/.exec(name)?.[1])
  return number <= maxFeatureNumber ? number : undefined
}
