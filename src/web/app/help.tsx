import { useSession } from '../data/query/session.ts'
import { Dialog } from '../ui/dialog.tsx'
import { placesOf } from './places.ts'

const keys: [key: string, meaning: string][] = [
  ['j', 'Next row'],
  ['k', 'Previous row'],
  ['Enter', 'Open the row'],
  ['x', 'Pick the run of the row to compare it'],
  ['/', 'Search'],
  ['Ctrl K', 'Go to anything'],
  ['?', 'Show this list'],
]

export function Help({ onClose }: { onClose: () => void }) {
  const jumps = placesOf(useSession()).map(({ key, name }) => [`g ${key}`, `Go to ${name}`] as [string, string])
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="keys">
        {[...keys, ...jumps].map(([key, meaning]) => (
          <div key={key}>
            <dt>
              {key.split(' ').map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
