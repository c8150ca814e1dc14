/**
 * The largest number by which a caller may refer to a feature that does not exist yet. It is far below the largest that a
 * feature can have, so that no caller can use up the numbers that follow.
 */
export const maxFeatureNumber = 2_147_483_647

/** The name of a feature that is only known by its number. */
export const placeholderName = (number: number) => `feature-${number}`

/** The number in a name of the form `feature-<n>`; undefined for other names. */
export function numberOfName(name: string): number | undefined {
  const number = Number(/^feature-([1-9]\d{0,9})$/.exec(name)?.[1])
  return number <= maxFeatureNumber ? number : undefined
}
