/** The ETag of a resource as it was read: a change that carries it is refused when somebody else was first. */
export const etagOf = ({ id, version }: { id: number | string; version: number }) => `"${id}-${version}"`
