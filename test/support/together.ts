import { globSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './built.ts'
import { allProofs } from './proofs.ts'

/**
 * Files whose tests share a process within `npm test`: it loads the program once, runs code that is compiled already,
 * empties the same copies of a PostgreSQL ledger, and opens its pages in one browser. They must leave the process as it was:
 * no changed environment or working folder, no count of open handles. Every other file has a process of its own.
 */
export const groups: Record<string, string[]> = {
  rules: [
    'test/{agents,domain,rig}/*.test.ts',
    'test/mask/*.test.ts',
    'test/{clock,hostile,imports,node,openapi}.test.ts',
    'test/cli/{checked,completion,help}.test.ts',
    'test/mcp/near.test.ts',
  ],
  search_and_events: ['test/{search,sqlite-words,suggest,stats,filters,follow,event,find-run,walk}.test.ts'],
  runs: ['test/{run,run-turn,content,check,verdict,lease,errors,page,story,timeline,rejudge}.test.ts'],
  nouns: ['test/{feature,spec,project,key,session,isolation,idempotency,open,hooks,http}.test.ts'],
  removal_and_export: ['test/{delete-project,erase,export,fork,horizon,retention,seal}.test.ts'],
  attention_and_diffs: [
    'test/{attention,attention-plan,delete,diff,files-of-runs,open-turn,run-activity,search-diffs}.test.ts',
    'test/{everywhere-plan,hosts,many-projects,news,rotated-key,webhook-format,whose-runs,wrong-clock}.test.ts',
  ],
  http_and_mcp: [
    'test/{csv,event-plan,listener,permissions,run-plan,serve-page}.test.ts',
    'test/mcp/{http,tools}.test.ts',
  ],
  store_and_client: ['test/{anchor,batch,check-list,client,leader,migrate,operations,own-agent}.test.ts'],
  upgrade: ['test/upgrade/*.test.ts'],
  own_postgres: [
    'test/{postgres,postgres-hosts,postgres-tls}.test.ts',
    'test/proof/{faults-postgres,postgres-restart}.test.ts',
  ],
  proofs_of_ledgers: ['test/proof/{backup,clock,disk-full,erase,kill,retention,seal}.test.ts'],
  proofs_of_servers: [
    'test/proof/{events,hostile-clients,idempotency,no-secret,sigterm,streams,two-servers}.test.ts',
    'test/proof/{webhooks,webhooks-hostile}.test.ts',
  ],
  proofs_of_the_program: ['test/proof/{damage,export-size,regex,resident,session-ends,traps,whose-run}.test.ts'],
  generated: ['test/{difference,examples,fuzz}.test.ts', 'test/property/*.test.ts'],
  forgeries_and_damage: ['test/{forgery,forgery-imitation,forgery-indirect,seal-damage}.test.ts'],
  mcp_processes: ['test/mcp/{claim-order,hold,older-server,session,stdio,story}.test.ts'],
  web_lists: ['test/web/{cors,features,log,log-groups,run-filters,run-table,trends}.test.ts'],
  web_frame: ['test/web/{frame,history,login,storage}.test.ts'],
  web_runs: ['test/web/{live,run,run-work,session,clock}.test.ts'],
  web_specs_and_admin: ['test/web/{admin,shift,spec-edit,specs,webhooks}.test.ts'],
  web_now: ['test/web/{activity,attention,event-window,late,late-changes,notifications}.test.ts'],
  web_every_page: ['test/web/{erase,hostile,page}.test.ts'],
  web_diffs: ['test/web/{diff,files,log-times,mine,now,questions,run-diff,turns}.test.ts'],
  web_texts: ['test/web/{checks,direction,markdown,retention,runs}.test.ts'],
  cli_lists: ['test/cli/{address,command,csv,deliver-turns,erase,init,lists,open,retention,unkept,usage}.test.ts'],
  cli_setup: ['test/cli/{connect,doctor,exit,init-agents,init-checks,new-project,profiles,project,rules}.test.ts'],
  cli_import: [
    'test/cli/{import,import-transcripts,import-v0,import-v0-bundles,import-v0-sql,output,print,program-on-path,state,state-private}.test.ts',
    'test/cli/{verify,verify-unsealed}.test.ts',
  ],
  cli_sessions: [
    'test/cli/{droid,elsewhere,left-branch,masked-names,outcome,own-work,terminal,transcript}.test.ts',
    'test/cli/{transcript-behind,trouble,turn-ends,turns,waiting,whose-run}.test.ts',
  ],
  cli_work: [
    'test/cli/{changed-files,checked-bash,foreign,foreign-lint,foreign-print,nested,odd-repositories,other-tree}.test.ts',
    'test/cli/{interrupted,live-verdict,noticed-late,two-servers,verdict-beside,verdict-cases}.test.ts',
  ],
  cli_diffs: [
    'test/cli/{import-diffs,import-removed,objects,past-diffs,removed-tree,run-diff,tree,turn-diffs}.test.ts',
  ],
  cli_git: ['test/cli/{git,git-settings,outside-git}.test.ts', 'test/system/{disk,lint,paths,programs,socket}.test.ts'],
  cli_people: ['test/cli/{attention,brought,in-session,left-command,mine,older-server,open-turn,told}.test.ts'],
  cli_hooks: ['test/cli/{background,deliver,deserted,hook,hook-line}.test.ts'],
  cli_servers: ['test/cli/{backup,demo,doctor-database,import-killed,stream,team,watch}.test.ts'],
  cli_commands: ['test/cli/{bin,exec,exec-terminal,outage,resident,start}.test.ts', 'test/serve.test.ts'],
}

/** The groups of `npm run check`. They start no other processes than their own. */
const quick = ['rules', 'search_and_events', 'runs', 'nouns', 'removal_and_export', 'store_and_client']

/** The files of a group, in the order in which they run. */
export const filesOf = (group: string): string[] => globSync(groups[group] ?? [], { cwd: root }).sort()

/** The files to start for all of these: each group of which every file is among them has one in `folder`, which imports them. */
export function startsOf(files: string[], folder: string): string[] {
  const left = new Set(files)
  const starts: string[] = []
  for (const group of Object.keys(groups)) {
    const members = filesOf(group)
    if (!members.every((path) => left.has(path))) continue
    for (const path of members) left.delete(path)
    starts.push(writeStart(join(folder, `${group}.test.mjs`), members))
  }
  return [...starts, ...left]
}

/** The files to start for `npm run check`, one a group. What is a proof at full size is left to `npm test`. */
export function quickStarts(folder: string): string[] {
  const proved = allProofs()
  return quick.map((group) =>
    writeStart(
      join(folder, `${group}.test.mjs`),
      filesOf(group).filter((path) => !proved.includes(path)),
    ),
  )
}

function writeStart(path: string, members: string[]): string {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, members.map((member) => `await import('${pathToFileURL(join(root, member))}')\n`).join(''))
  return path
}
