import { z } from 'zod'
import { statusOf } from '../../contract/error.ts'
import { contentType, order, pageMeta } from '../../contract/field.ts'
import { searchType, suggested } from '../../find/fields.ts'
import { eventType } from '../../log/fields.ts'
import { featureInput } from '../../nouns/feature/fields.ts'
import { permission } from '../../nouns/key/fields.ts'
import { retentionInput } from '../../nouns/project/fields.ts'
import { checkResult, evidence, pipeline, recorder } from '../../nouns/run/check/fields.ts'
import { counts, runStatus, verdict } from '../../nouns/run/fields.ts'
import { lease } from '../../nouns/run/lease-fields.ts'
import { link, where } from '../../nouns/run/part-fields.ts'
import { statuses, verdicts } from '../../nouns/run/state.ts'
import { duration, statsBy, tally } from '../../nouns/run/stats-fields.ts'
import { command, file, planItem, subagent, toldCommand, toolUse } from '../../nouns/run/turn-fields.ts'
import { activityInput, activityState, changes, failure, git, usage } from '../../nouns/run/work-fields.ts'
import { specStatus } from '../../nouns/spec/fields.ts'
import { disabledReason } from '../../nouns/webhook/fields.ts'
import { erasedCounts } from '../../removal/erase-routes.ts'
import { forgottenRuns } from '../../removal/forget-routes.ts'

/** One problem of an input. */
export const issue = z.object({ path: z.string(), message: z.string().describe('What would be right') })

/** The schemas of responses that have a name of their own, so that the types of generated clients do. Inner ones first. */
export const outputs: Record<string, z.ZodType> = {
  RunStatus: runStatus,
  Verdict: verdict,
  Evidence: evidence,
  CheckResult: checkResult,
  Recorder: recorder,
  Pipeline: pipeline,
  SpecStatus: specStatus,
  Permission: permission,
  EventType: eventType,
  ErrorCode: z.enum(Object.keys(statusOf)),
  SearchType: searchType,
  Suggested: suggested,
  ContentType: contentType,
  ActivityState: activityState,
  Order: order,
  DisabledReason: disabledReason,
  StatsBy: statsBy,
  Where: where,
  Link: link,
  Git: git,
  FileChanges: changes,
  Usage: usage,
  Failure: failure,
  PageMeta: pageMeta,
  Lease: lease,
  Duration: duration,
  StatusCounts: counts(statuses),
  VerdictCounts: counts(verdicts),
  Tally: tally,
  ErasedCounts: erasedCounts,
  ForgottenRuns: forgottenRuns,
  ToolUse: toolUse,
  ChangedFile: file,
  TurnCommand: toldCommand,
  PlanItem: planItem,
  Subagent: subagent,
  Issue: issue,
}

/** The same of requests, which are closed, and so are others than those of responses. */
export const inputs: Record<string, z.ZodType> = {
  ActivityInput: activityInput,
  FeatureInput: featureInput,
  RetentionInput: retentionInput,
  WhereInput: where,
  LinkInput: link,
  GitInput: git,
  FileChangesInput: changes,
  UsageInput: usage,
  FailureInput: failure,
  ToolUseInput: toolUse,
  ChangedFileInput: file,
  TurnCommandInput: command,
  PlanItemInput: planItem,
  SubagentInput: subagent,
}
