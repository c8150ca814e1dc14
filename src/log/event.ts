import { isDeepStrictEqual } from 'node:util'

/** Field → [before, after]. */
export type Changes = Record<string, [unknown, unknown]>

/** The changes between two states of a resource; empty if they are equal. */
export function differences<State extends object>(before: State, after: State): Changes {
  const moved: Changes = {}
  for (const field of Object.keys(after) as (keyof State & string)[]) {
    if (!isDeepStrictEqual(before[field], after[field])) moved[field] = [before[field], after[field]]
  }
  return moved
}

/** The changes of a new resource: all its fields. */
export function appeared(state: object): Changes {
  const told = Object.entries(state).filter(([, value]) => value !== null && value !== undefined && !isEmpty(value))
  return Object.fromEntries(told.map(([field, value]) => [field, [null, value]]))
}

const isEmpty = (value: unknown) => value instanceof Object && Object.keys(value).length === 0

/** The changes of a deleted resource. */
export function vanished(state: object): Changes {
  return Object.fromEntries(Object.entries(appeared(state)).map(([field, [, value]]) => [field, [value, null]]))
}
