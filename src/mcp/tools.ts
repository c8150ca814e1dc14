import { readLedger } from './read.ts'
import { searchLedger } from './search.ts'
import type { Tool } from './tool.ts'
import { finishRun, logRun, recordCheck, saveSpec, startRun } from './write.ts'

/** All tools, in the order in which clients list them. */
export const tools: readonly Tool[] = [startRun, logRun, finishRun, recordCheck, saveSpec, searchLedger, readLedger]
