import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Redirect, Redirection } from 'unbash'

/**
 * Whether redirections write a file of the project, rather than to another output, a device, or below /tmp, if the project
 * is not there itself.
 */
export const writesFile = (redirects: readonly Redirection[], isTemporary: boolean): boolean =>
  redirects.some((redirect) => {
    if (redirect.type !== 'Redirect' || !redirect.operator.includes('>')) return false
    const name = redirect.target?.value ?? ''
    const isElsewhere =
      /^\/dev\/(?:null|stdout|stderr)$/.test(name) || (!isTemporary && /^\/tmp\/(?!.*\.\.)/.test(name))
    return !isOfDescriptor(redirect) && !isElsewhere
  })

/** `2>&1` */
const isOfDescriptor = ({ operator, target }: Redirect) => operator.endsWith('&') && /^\d*-?$/.test(target?.value ?? '')

/** Whether the shell does not start a command, because a redirection names what it cannot open. */
export const areRefused = (redirects: readonly Redirection[], cwd: string | undefined): boolean =>
  redirects.some((redirect) => {
    if (redirect.type !== 'Redirect' || !redirect.target) return false
    const { text, value } = redirect.target
    if (isOfDescriptor(redirect)) return !/^[012]?-?$/.test(value)
    if (cwd === undefined || /[$`*?[{~]/.test(text)) return false
    const path = resolve(cwd, value)
    return redirect.operator === '<' ? !existsSync(path) : !isWritable(path)
  })

/** Whether a path may be that of a file to write. */
export const isWritable = (path: string): boolean => isFolder(dirname(path)) && !isFolder(path)

const isFolder = (path: string) => existsSync(`${path}/.`)
