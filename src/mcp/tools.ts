import { readLedger } from './read.ts'
import { searchLedger } from './search.ts'
import type { Tool } from './tool.ts'
import { finishRun, logRun, recordCheck, saveSpec, startRun } from './write.ts'

/** All tools, in the order in which clients show them. */
export const tools: readonly Tool[] = [startRun, logRun, finishRun, recordCheck, saveSpec, searchLedger, readLedger]

/** What a client tells its model of the server as a whole. */
export const instructions = `Conduct is the ledger of what coding agents did. For each piece of work: start_run, log_run as you go, record_check
for each check that you really ran (with command and exitCode), then finish_run; pass the runId of start_run on. Look with search_ledger whether it was tried before.
Never record a check that you did not run.`
