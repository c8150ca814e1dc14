import { Head } from '../ui/head.tsx'
import { href } from './router.ts'

export function Missing() {
  return (
    <>
      <Head title="Nothing here" />
      <p class="empty">
        There is no page at this address. <a href={href([])}>What happens now</a> or{' '}
        <a href={href(['runs'])}>all runs</a>?
      </p>
    </>
  )
}
