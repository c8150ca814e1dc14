import { spawn } from 'node:child_process'
import { defaultPager, isNotStarted } from '../system/places.ts'
import { withAbsolutePath } from '../system/programs.ts'

/** Writes a text to stdout, on a terminal through the pager of the user: $PAGER, or less if there is one. */
export async function paged(text: string): Promise<void> {
  const { PAGER: own, ...env } = withAbsolutePath(process.env)
  const pager = own ?? defaultPager
  const isWanted = process.stdout.isTTY && pager.trim() !== '' && pager.trim() !== 'cat'
  if (!isWanted || !(await pipe(text, pager, { LESS: 'FRX', ...env }))) process.stdout.write(text)
}

/** Returns false if there is no such program. */
function pipe(text: string, pager: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(pager, { shell: true, env, stdio: ['pipe', 'inherit', 'ignore'] })
    // Ctrl-C is for the pager.
    const ignore = () => {}
    process.on('SIGINT', ignore)
    const end = (isThere: boolean) => {
      process.off('SIGINT', ignore)
      resolve(isThere)
    }
    child.once('error', () => end(false))
    child.once('close', (code) => end(!isNotStarted(code)))
    // Its user may leave before the end.
    child.stdin.on('error', ignore).end(text)
  })
}
