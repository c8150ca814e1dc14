import { shownUrl } from '../../src/nouns/webhook/rules.ts'
import type { Answers } from './answers.ts'

type Row = Record<string, unknown>

/**
 * The verdicts that today's rules derive otherwise than a release did, by schema version and run. Each needs a line in
 * CHANGELOG.md.
 */
const changed: Record<number, Record<string, { verdict: string; evidence: string | null }>> = {}

/** What an upgraded ledger of that version returns: what its release did, but for these verdicts and the addresses of webhooks. */
export function withChangedVerdicts(version: number, answers: Answers): Answers {
  const verdicts = changed[version] ?? {}
  const revised = (run: unknown) => ({ ...(run as Row), ...verdicts[(run as Row).runId as string] })
  return {
    ...answers,
    // Version 4 had no webhooks.
    ...(answers.webhooks && {
      webhooks: answers.webhooks.map((webhook) => ({ ...webhook, url: shownUrl(String(webhook.url)) })),
    }),
    runs: answers.runs.map((run) => ({ ...run, listed: revised(run.listed), read: revised(run.read) })),
  }
}
