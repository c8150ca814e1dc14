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
    'test/mask/{mask,recall}.test.ts',
    'test/{clock,imports,node,openapi}.test.ts',
    'test/cli/{checked,completion,help}.test.ts',
    'test/mcp/near.test.ts',
  ],
  lists: ['test/{search,sqlite-words,suggest,stats,follow,event,find-run,walk}.test.ts'],
  runs: ['test/{run,run-turn,content,check,verdict,lease,errors,page,story,timeline}.test.ts'],
  nouns: ['test/{feature,spec,project,key,session,isolation,idempotency,open,hooks,http}.test.ts'],
  keeping: ['test/{delete-project,erase,export,fork,horizon,retention,seal}.test.ts'],
  doors: ['test/{csv,listener,permissions}.test.ts', 'test/mcp/{http,tools}.test.ts'],
  lists_of_page: ['test/web/{cors,features,log,log-groups,trends}.test.ts'],
  runs_of_page: ['test/web/{frame,history,live,login,run,run-work,session}.test.ts'],
  specs_of_page: ['test/web/{admin,shift,spec-edit,specs,webhooks}.test.ts'],
  lanes_of_page: ['test/web/{activity,attention,event-window}.test.ts'],
  texts_of_page: ['test/web/{checks,direction,erase,hostile,markdown,page,retention,runs}.test.ts'],
  commands: ['test/cli/{address,command,csv,deliver-turns,init,lists,retention,unkept,usage,whose-run}.test.ts'],
  entering: ['test/cli/{connect,doctor,exit,init-agents,init-checks,new-project,profiles,project,rules}.test.ts'],
  engines: ['test/{anchor,batch,client,leader,migrate,operations,own-agent}.test.ts'],
  bringing: ['test/cli/{import,import-v0,output,print,state,verify}.test.ts'],
}

/** The groups of `npm run check`. They start no other processes than their own. */
const quick = ['rules', 'lists', 'runs', 'nouns', 'keeping', 'engines']

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
