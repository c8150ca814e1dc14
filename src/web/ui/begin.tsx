import { Command } from './copy.tsx'

/** Says that there is nothing yet, and how to record the first sessions. */
export function Begin({ words }: { words: string }) {
  return (
    <div class="empty">
      <p>{words} To record the sessions of your coding agents, run this in the folder of a project:</p>
      <Command text="conduct init" />
    </div>
  )
}

export const orEveryone = 'Choose Everyone to see the runs of others.'

/** Says that the person has no such runs, and how to see those of others. */
export const NoneOfYours = ({ words = 'No run is yours.' }: { words?: string }) => (
  <p class="empty">
    {words} {orEveryone}
  </p>
)
