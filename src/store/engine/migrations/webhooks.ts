import type { Dialect } from '../db.ts'

/** Webhooks with their positions in the log, and their last deliveries. */
export function webhooks({ id, text, integer, tableEnd }: Dialect): string[] {
  return [
    `create table webhooks (id ${id}, project_id ${integer} references projects (id), url ${text} not null,
      types ${text} not null, tag ${text} not null, secret ${text} not null, previous_secret ${text},
      previous_secret_expires_at ${text}, enabled ${integer} not null default 1, disabled_reason ${text},
      after_seq ${integer} not null, batch_end ${integer}, failures ${integer} not null default 0, failing_since ${text},
      last_error ${text}, next_attempt_at ${text}, attempted_at ${text}, delivered_at ${text},
      server ${text}, lease_expires_at ${text}, created_by ${integer}, updated_by ${integer}, created_at ${text} not null,
      updated_at ${text} not null, version ${integer} not null default 1) ${tableEnd}`,
    'create index webhooks_by_time on webhooks (created_at, id)',
    'create index webhooks_of_project on webhooks (project_id, created_at, id)',
    `create table webhook_deliveries (id ${id}, webhook_id ${integer} not null references webhooks (id) on delete cascade,
      message_id ${text} not null, first_seq ${integer}, last_seq ${integer}, count ${integer} not null,
      attempt ${integer} not null, status_code ${integer}, error ${text}, duration_ms ${integer} not null,
      created_at ${text} not null) ${tableEnd}`,
    'create index webhook_deliveries_by_time on webhook_deliveries (webhook_id, created_at, id)',
  ]
}
