/** The ETag of a resource as it was read. The server refuses a change with an outdated one. */
export const etagOf = ({ id, version }: { id: number | string; version: number }) => `"${id}-${version}"`
