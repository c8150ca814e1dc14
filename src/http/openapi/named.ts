import { z } from 'zod'
import { checkResult, evidence, pipeline, recorder } from '../../api/check.ts'
import { statusOf } from '../../api/error.ts'
import { eventType } from '../../api/event.ts'
import { featureInput } from '../../api/feature.ts'
import { contentType } from '../../api/field.ts'
import { permission } from '../../api/key.ts'
import { lease } from '../../api/lease.ts'
import { order, pageMeta } from '../../api/page.ts'
import { retentionInput } from '../../api/project.ts'
import { erasedCounts } from '../../api/routes/erase.ts'
import { forgottenRuns } from '../../api/routes/forget.ts'
import { counts, link, runStatus, verdict, where } from '../../api/run.ts'
import { searchType, suggested } from '../../api/search.ts'
import { specStatus } from '../../api/spec.ts'
import { duration, statsBy, tally } from '../../api/stats.ts'
import { command, file, planItem, subagent, toldCommand, toolUse } from '../../api/turn.ts'
import { disabledReason } from '../../api/webhook.ts'
import { activityInput, activityState, changes, failure, git, usage } from '../../api/work.ts'
import { statuses, verdicts } from '../../ledger/run.ts'

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
