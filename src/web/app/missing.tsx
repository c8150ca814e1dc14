import { Head } from '../ui/head.tsx'
import { href } from './router.ts'

export function Missing() {
  return (
    <>
      <Head title="Nothing here" />
      <div class="empty">
        <p>
          There is no page at this address. See <a href={href([])}>Now</a> or <a href={href(['runs'])}>all runs</a>.
        </p>
      </div>
    </>
  )
}
