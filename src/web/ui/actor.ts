import type { ActorName } from '../../contract/field.ts'

const nameless: Record<ActorName['kind'], string> = {
  key: 'a key',
  person: 'a person',
  local: 'a local user',
  system: 'Conduct',
  import: 'an import',
}

/** The name of an actor. */
export const actorText = ({ kind, name }: ActorName): string => name ?? nameless[kind]
