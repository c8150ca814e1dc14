import { type ChildProcess, spawn } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, startPostgres } from '../support/setup.ts'
import { readRows } from './database.ts'

interface Node {
  port: number
  folder: string
  url: string
  child?: ChildProcess
}

/** A PostgreSQL primary with a standby, which swap roles at a failover. */
export class Cluster {
  readonly #binary: string
  #nodes: [primary: Node, standby: Node]

  private constructor(binary: string, nodes: [Node, Node]) {
    this.#binary = binary
    this.#nodes = nodes
  }

  /** Starts a primary; `renew` adds its standby. */
  static async start(t: TestContext): Promise<Cluster> {
    const first = await startPostgres(['-c', 'max_connections=60'])
    const [row] = await readRows<{ folder: string }>(first.url, `select current_setting('data_directory') as folder`)
    const folder = row?.folder as string
    const postmaster = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')[0]
    const binary = readlinkSync(`/proc/${postmaster}/exe`)
    await first.postgres.stop()
    appendFileSync(join(folder, 'pg_hba.conf'), 'host replication all 127.0.0.1/32 trust\n')
    const node = async (folder: string): Promise<Node> => {
      const port = await freePort()
      return { port, folder, url: `postgres://conduct:conduct@127.0.0.1:${port}/postgres` }
    }
    const cluster = new Cluster(binary, [await node(folder), await node(`${folder}-2`)])
    t.after(() => {
      for (const { child } of cluster.#nodes) kill(child, 'SIGKILL')
      first.remove()
    })
    await cluster.#start(cluster.#nodes[0])
    return cluster
  }

  /** The URL with both hosts, always in the same order. */
  get url(): string {
    const [one, other] = this.#nodes.map(({ port }) => port).sort() as [number, number]
    return `postgres://conduct:conduct@127.0.0.1:${one},127.0.0.1:${other}/postgres`
  }

  get primaryUrl(): string {
    return this.#nodes[0].url
  }

  /**
   * Makes the second node a standby again, from a copy of the primary. If `isSynchronous`, the primary waits for it
   * from then on.
   */
  async renew(isSynchronous: boolean): Promise<void> {
    const [primary, standby] = this.#nodes
    const run = (text: string) => readRows<{ text: string }>(primary.url, text)
    kill(standby.child, 'SIGKILL')
    rmSync(standby.folder, { recursive: true, force: true })
    const { uid, gid } = statSync(primary.folder)
    await this.#copy(primary, standby)
    rmSync(join(standby.folder, 'postmaster.pid'), { force: true })
    writeFileSync(join(standby.folder, 'standby.signal'), '')
    const conninfo = `primary_conninfo = 'host=127.0.0.1 port=${primary.port} user=conduct password=conduct'`
    appendFileSync(join(standby.folder, 'postgresql.auto.conf'), `${conninfo}\n`)
    for (const name of ['', 'standby.signal', 'backup_label']) chownSync(join(standby.folder, name), uid, gid)
    await this.#start(standby)
    while ((await run(`select 1 as text from pg_stat_replication where state = 'streaming'`)).length === 0)
      await sleep(50)
    if (!isSynchronous) return
    await run(`alter system set synchronous_standby_names = '*'`)
    await run('select pg_reload_conf()::text as text')
    while ((await run(`select 1 as text from pg_stat_replication where sync_state = 'sync'`)).length === 0)
      await sleep(50)
  }

  /** Disconnects the standby from the primary, once it has received everything written so far. */
  async cutOff(): Promise<void> {
    const [primary, standby] = this.#nodes
    const [end] = await readRows<{ lsn: string }>(primary.url, 'select pg_current_wal_insert_lsn()::text as lsn')
    const behind = `select 1 from pg_stat_replication where flush_lsn < '${end?.lsn}'::pg_lsn`
    while ((await readRows(primary.url, behind)).length > 0) await sleep(50)
    appendFileSync(join(standby.folder, 'postgresql.auto.conf'), `primary_conninfo = ''\n`)
    await readRows(standby.url, 'select pg_reload_conf()')
    while ((await readRows(primary.url, 'select 1 from pg_stat_replication')).length > 0) await sleep(50)
  }

  /** Ends or freezes the primary, and promotes the standby. */
  async failover(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGINT'): Promise<void> {
    const [primary, standby] = this.#nodes
    kill(primary.child, signal)
    await readRows(standby.url, 'select pg_promote()')
    this.#nodes = [standby, primary]
  }

  /** Copies the files of a running primary, as pg_basebackup does. */
  async #copy(primary: Node, standby: Node): Promise<void> {
    const { default: pg } = await import('pg')
    const client = new pg.Client({ connectionString: primary.url })
    await client.connect()
    await client.query(`select pg_backup_start('copy', true)`)
    cpSync(primary.folder, standby.folder, { recursive: true, preserveTimestamps: true })
    chownAll(standby.folder, statSync(primary.folder))
    const { rows } = await client.query('select labelfile from pg_backup_stop(false)')
    writeFileSync(join(standby.folder, 'backup_label'), rows[0].labelfile)
    await client.end()
  }

  async #start(node: Node): Promise<void> {
    const { uid, gid } = statSync(node.folder)
    const flags = ['-D', node.folder, '-p', String(node.port), '-c', 'max_connections=60', '-c', 'wal_keep_size=256MB']
    node.child = spawn(this.#binary, flags, { uid, gid, stdio: 'ignore' })
    while (!(await readRows(node.url, 'select 1').catch(() => undefined))) await sleep(50)
  }
}

function chownAll(folder: string, { uid, gid }: { uid: number; gid: number }) {
  chmodSync(folder, 0o700)
  chownSync(folder, uid, gid)
  for (const name of readdirSync(folder, { recursive: true })) chownSync(join(folder, String(name)), uid, gid)
}

/** Sends a signal to PostgreSQL. A signal that no process can handle goes to all of its processes. */
function kill(child: ChildProcess | undefined, signal: NodeJS.Signals) {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ').filter(Boolean)
  child.kill(signal)
  if (signal === 'SIGINT') return
  for (const pid of children) {
    try {
      process.kill(Number(pid), signal)
    } catch (error) {
      // It has ended by itself, without its parent.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
