/** The code of the copying process. The process gets only its source text, so it refers to nothing outside. */
export async function copyAndVerify() {
  const { DatabaseSync, backup } = process.getBuiltinModule('node:sqlite')
  const { statSync } = process.getBuiltinModule('node:fs')
  type Database = InstanceType<typeof DatabaseSync>
  const [from = '', to = ''] = process.argv.slice(1)
  const pagesAtOnce = 1000
  process.on('disconnect', () => process.exit(1))
  const say = (message: object) => new Promise((sent) => process.send?.(message, undefined, {}, sent))

  const rowsOf = (db: Database) => {
    const named =
      "select name from sqlite_schema where type = 'table' and rootpage > 0 and name not like 'sqlite!_%' escape '!'"
    const tables = db
      .prepare(named)
      .all()
      .map(({ name }) => String(name))
    return new Map(tables.map((name) => [name, Number(db.prepare(`select count(*) as n from "${name}"`).get()?.n)]))
  }
  /** What the copy contains, or what is wrong with it. */
  const verify = (db: Database, expected: Map<string, number>) => {
    const found = db
      .prepare('pragma integrity_check(10)')
      .all()
      .map((row) => String(row.integrity_check))
    if (found[0] !== 'ok') return { step: 'fault', fault: 'damaged', words: found.join('\n'), errcode: 0 }
    const rows = rowsOf(db)
    for (const [name, count] of expected) {
      if (rows.get(name) !== count)
        return {
          step: 'fault',
          fault: 'damaged',
          words: `${name} has ${rows.get(name)} rows, not ${count}`,
          errcode: 0,
        }
    }
    const newest = db.prepare('select seq, at from events order by seq desc limit 1').get()
    const version = db.prepare('select max(version) as version from schema_versions').get()
    const copied = {
      bytes: statSync(to).size,
      events: rows.get('events'),
      newestSeq: newest?.seq ?? 0,
      newestAt: newest?.at ?? null,
      runs: rows.get('runs'),
      schemaVersion: version?.version,
    }
    return { step: 'done', copied }
  }

  const copy = async () => {
    const source = new DatabaseSync(from, { timeout: 10_000 })
    source.exec('pragma query_only = on; begin')
    const tables = rowsOf(source)
    if (!['schema_versions', 'events', 'runs'].every((name) => tables.has(name))) {
      return { step: 'fault', fault: 'foreign', words: 'its tables are missing', errcode: 0 }
    }
    // The transaction keeps its snapshot: commits of others are not in the copy and do not restart it.
    await backup(source, to, {
      rate: pagesAtOnce,
      progress: ({ totalPages, remainingPages }) =>
        void say({ step: 'copy', pages: totalPages - remainingPages, of: totalPages }),
    })
    source.close()
    await say({ step: 'verify' })
    const target = new DatabaseSync(to)
    // The whole copy is one file that needs no log.
    target.exec('pragma journal_mode = delete')
    const verified = verify(target, tables)
    target.close()
    return verified
  }

  const outcome = await copy().catch((error) => ({
    step: 'fault',
    fault: 'sqlite',
    words: error.message,
    errcode: error.errcode ?? 0,
  }))
  await say(outcome)
  process.disconnect()
}
