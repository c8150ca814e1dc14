import { Command } from './copy.tsx'

/** Says that there is nothing yet, and how to record the first sessions. */
export function Begin({ words }: { words: string }) {
  return (
    <div class="empty">
      <p>{words} To record the sessions of your coding agents, in the folder of a project:</p>
      <Command text="conduct init" />
    </div>
  )
}
