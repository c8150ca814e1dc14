import { z } from 'zod'
import { time } from '../contract/field.ts'

const snippet = z.string().describe('The place in its text, without the marks of Markdown, with the words **marked**')

export const searchable = ['run', 'turn', 'diff', 'spec', 'check', 'feature'] as const
export const searchType = z.enum(searchable)
export type SearchType = z.infer<typeof searchType>

/** A run, and what belongs to one. */
export const ofRun = ['run', 'turn', 'diff', 'check'] as const
export const isOfRun = (type: SearchType): boolean => ofRun.some((one) => one === type)

const foundPart = z
  .object({ type: searchType, subject: z.string(), title: z.string().nullable(), snippet })
  .meta({ id: 'FoundPart' })

export const found = z
  .object({
    type: searchType,
    project: z.string(),
    subject: z.string().describe('Its id; of a diff, that of its turn'),
    title: z.string().nullable().describe('Of a diff, the path of its file'),
    snippet,
    isInContent: z
      .boolean()
      .optional()
      .describe('Of a run, whether the snippet is a place in its content, such as a log, rather than in other fields'),
    status: z.string().nullable(),
    agent: z.string().nullable().describe('The agent of the run that it is or belongs to; null for others'),
    author: z.string().nullable().describe('The author of that run'),
    verdict: z.string().nullable().describe('The verdict on that run'),
    at: time.describe('When that run began; of a spec or feature, when it was created'),
    updatedAt: time,
    parts: z
      .array(foundPart)
      .optional()
      .describe('With group=run: the turns, diffs and checks of the run that were found'),
  })
  .meta({ id: 'Found' })
export type Found = z.infer<typeof found>

/** The run fields with suggestions: those that lists of runs can be filtered by. */
export const suggested = z.enum(['agent', 'author', 'branch', 'specId', 'label'])
export type Suggested = z.infer<typeof suggested>
