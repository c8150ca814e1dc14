import type { Growing } from '../data/growing.ts'
import { Icon } from '../ui/icon.tsx'
import { saveFile } from '../ui/save.ts'

/** Downloads a log as the ledger keeps it: with its escape sequences, and a line about each gap. */
export const Download = ({ name, text }: { name: string; text: Growing }) => (
  <button
    type="button"
    class="plain"
    title="Download the log"
    onClick={() => saveFile(name, 'text/plain', text.pieces)}
  >
    <Icon name="save" />
    <span class="unseen">Download the log</span>
  </button>
)
