import { useState } from 'preact/hooks'

/** The ETag of a resource as it was read. The server refuses a change with an outdated one. */
export const etagOf = ({ id, version }: { id: number | string; version: number }) => `"${id}-${version}"`

/**
 * The version that a form was opened with, although the page follows later ones: what the person did not see must not be
 * overwritten. After a conflict, `renew` switches to the newest version.
 */
export function useOpenedVersion(newest: number): [version: number, renew: () => void] {
  const [opened, setOpened] = useState<number | undefined>(newest)
  return [opened ?? newest, () => setOpened(undefined)]
}
