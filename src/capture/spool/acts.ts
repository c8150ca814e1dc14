import { hash } from 'node:crypto'
import { againMs } from '../../recorder/agents/tools.ts'
import type { Database } from './database.ts'

/** The state of a working tree, in the form of the code that took it. */
type Git = object

/** A command of a session in progress. */
export interface RunningCommand {
  began: number
  git: Git
}

/**
 * What sessions do to working trees, so that each one reports only its own changes. Times are in milliseconds since
 * 1970.
 */
export interface Acts {
  /** Records that a session starts a command in the working tree `root`, by default now. Two hooks may report one start. */
  begin(name: string, root: string, target: string, git: Git, began?: number): void
  /** The start of such a command whose end was not recorded: the newest one with that text. */
  begun(name: string, target: string): RunningCommand | undefined
  /**
   * Records the end of such a command: the newest one with that text. Undefined if its start was not recorded. If the
   * text is the id of a call, a second hook gets the same start.
   */
  finish(name: string, target: string, hasId: boolean): RunningCommand | undefined
  /** The commands of a session whose ends were not recorded, the oldest first. */
  unended(name: string): RunningCommand[]
  /** Ends the commands of a session for others. An agent does not report the end of each; `finish` still finds them. */
  endCommands(name: string): void
  /**
   * Records that a session starts to use a tool that may write, wherever: by the id of the call. Not every agent reports
   * the end of an edit: one counts for at most a minute.
   */
  beginTool(name: string, id: string, began: number, isEdit: boolean): void
  /** Records the end of such a use; of all of them if the report does not say which. */
  finishTool(name: string, id: string | undefined): void
  /** Records that a session wrote files, by their absolute paths. */
  wrote(name: string, paths: string[]): void
  /** The other sessions that ran a command in `root` between these times. */
  rivals(name: string, root: string, from: number, to: number): string[]
  /**
   * What the session itself did between these times: how many of its commands ran in `root` and how many such tools
   * anywhere, and whether its tools wrote a file.
   */
  didMeanwhile(name: string, root: string, from: number, to: number): { commands: number; wrote: boolean }
  /** The files that other sessions have written since or, if it is given, until about `to`: a hook reports a file later. */
  othersFiles(name: string, from: number, to?: number): string[]
  /** Deletes entries older than a day, and the trees of commands whose end no other hook reports any more. */
  forgetActs(): void
}

const dayMs = 86_400_000
/** A command without a recorded end counts for this long, in milliseconds. */
const longestMs = 3_600_000

/** How long a hook may take to report that a tool wrote a file, in milliseconds. Agents wait no longer for a hook. */
const hookMs = 60_000

/** How long after its end another hook may report a command, in milliseconds. */
const lateMs = 600_000

/** The root of a tool, which may write anywhere. */
const anywhere = "''"

/** A command may contain a secret, and only serves to find its start. */
const digestOf = (target: string) => hash('sha256', target)

export function actsIn(db: Database): Acts {
  const newest = (name: string, target: string) => {
    const [act] = db.rows<{ id: number; began: number; git: string }>(
      'select id, began, git from acts where name = ? and target = ? and git is not null order by id desc limit 1',
      ...[name, digestOf(target)],
    )
    return act && { id: act.id, began: act.began, git: JSON.parse(act.git) as Git }
  }
  return {
    begin(name, root, target, git, began = Date.now()) {
      const text = `insert into acts (name, root, target, began, git) select ?1, ?2, ?3, ?4, ?5
        where not exists (select 1 from acts where name = ?1 and target = ?3 and git is not null and abs(began - ?4) < ${againMs})`
      db.run(text, name, root, digestOf(target), began, JSON.stringify(git))
    },
    begun: newest,
    finish: (name, target, hasId) =>
      db.together(() => {
        const act = newest(name, target)
        const text = 'update acts set ended = ?, git = iif(?, git, null) where id = ?'
        if (act) db.run(text, Date.now(), Number(hasId), act.id)
        return act
      }),
    unended: (name) =>
      db
        .rows<{ began: number; git: string }>(
          'select began, git from acts where name = ? and ended is null and git is not null order by id',
          name,
        )
        .map(({ began, git }) => ({ began, git: JSON.parse(git) })),
    // A negative time: a hook may still report the end, however late.
    endCommands: (name) => void db.run('update acts set ended = ? where name = ? and ended is null', -Date.now(), name),
    beginTool(name, id, began, isEdit) {
      const text = `insert into acts (name, root, target, began, ended) select ?1, ${anywhere}, ?2, ?3, ?4
        where not exists (select 1 from acts where name = ?1 and target = ?2)`
      db.run(text, name, digestOf(id), began, isEdit ? began + hookMs : null)
    },
    finishTool: (name, id) =>
      void db.run(
        `update acts set ended = ?1 where name = ?2 and root = ${anywhere}
          and (ended is null or ended < 0 or ended > ?1) and target = coalesce(?3, target)`,
        ...[Date.now(), name, id === undefined ? null : digestOf(id)],
      ),
    wrote: (name, paths) =>
      db.together(() => {
        for (const path of paths) {
          db.run('insert into acts (name, path, began, ended) values (?, ?, ?3, ?3)', name, path, Date.now())
        }
      }),
    rivals: (name, root, from, to) =>
      db
        .rows<{ name: string }>(
          // A killed session does not end its commands.
          `select distinct a.name from acts a join recordings r on r.name = a.name
            where a.root = ? and a.name <> ? and a.began <= ?
              and (abs(a.ended) >= ? or a.ended is null and r.ended = 0 and a.began >= ?)`,
          ...[root, name, to, from, from - longestMs],
        )
        .map(({ name }) => name),
    didMeanwhile(name, root, from, to) {
      const [did = { commands: 0, wrote: 0 }] = db.rows<{ commands: number; wrote: number }>(
        `select count(path) as wrote, count(*) - count(path) as commands from acts
          where name = ? and (path is not null and began between ? and ?
            or root in (?, ${anywhere}) and began <= ? and (abs(ended) > ? or ended is null and began >= ?))`,
        ...[name, from, to, root, to, from, from - longestMs],
      )
      return { commands: did.commands, wrote: did.wrote > 0 }
    },
    othersFiles: (name, from, to = Number.MAX_SAFE_INTEGER) =>
      db
        .rows<{ path: string }>(
          'select distinct path from acts where path is not null and name <> ? and began between ? and ?',
          ...[name, from, to + hookMs],
        )
        .map(({ path }) => path),
    forgetActs() {
      db.run('delete from acts where began < ?', Date.now() - dayMs)
      db.run('update acts set git = null where git is not null and ended between 1 and ?', Date.now() - lateMs)
    },
  }
}
