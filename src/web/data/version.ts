/** The ETag of a resource as it was read. The server refuses a change with an outdated one. */
export const etagOf = ({ id, version }: { id: number | string; version: number }) => `"${id}-${version}"`

/**
 * The ETag for a draft that was begun with the version `opened`, although the page follows later ones: what the person
 * did not see must not be overwritten. After a conflict, a draft has `followsNewest`.
 */
export const draftEtagOf = (id: number | string, { opened }: { opened: number }, newest: number) =>
  etagOf({ id, version: opened || newest })

/** Changes a draft after the person was shown the newest version. */
export const followsNewest = { opened: 0 }
