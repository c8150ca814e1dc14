import { hash } from 'node:crypto'
import { mailOf } from '../../contract/person.ts'

/** What is stored to compare persons by; null if nothing identifies the person. */
export function personHash(person: string | null | undefined): string | null {
  const mail = mailOf(person)
  return mail === undefined ? null : hash('sha256', mail).slice(0, 32)
}
