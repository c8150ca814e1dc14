import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { ConductError } from '../src/contract/error.ts'
import { indexMore, markChanged } from '../src/find/follow.ts'
import { passageBytes, slots } from '../src/find/passage.ts'
import { snippetOf } from '../src/find/snippet.ts'
import { termsOf, wordsOf } from '../src/find/words.ts'
import { numberEvents } from '../src/log/number.ts'
import { type Ledger, testLedger } from './support/engines.ts'

async function indexAll({ db }: Ledger['store']) {
  while (await indexMore(db, 5));
}

/**
 * Searches twice, while new texts may wait for the index and after all are indexed, and asserts that both find the
 * same.
 */
const finder =
  ({ client, store }: Pick<Ledger, 'client' | 'store'>) =>
  async (q: string, more: Omit<Parameters<typeof client.search>[0], 'q'> = {}) => {
    const find = async () =>
      (await client.search({ q, ...more })).results.map(({ type, subject }) => `${type} ${subject}`)
    const found = await find()
    await indexAll(store)
    assert.deepEqual(await find(), found, `the index finds '${q}' where a scan does`)
    return found
  }

testLedger('words of code are found as developers expect', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'AUTH-001', content: 'Changed src/auth/login.ts: now createRunFor() is called.' })
  await client.createRun({ runId: 'OTHER', content: 'auth and 001, create a run, login' })
  const find = finder(ledger)
  for (const q of [
    'src/auth/login.ts',
    'auth/login.ts',
    'login.ts',
    'src/auth/lo',
    'AUTH-001',
    'auth-0',
    'createRunFor',
    'createrunf',
    'CREATE run for',
  ]) {
    assert.deepEqual(await find(q), ['run AUTH-001'], q)
  }
  assert.deepEqual(await find('login'), ['run OTHER', 'run AUTH-001'])
  assert.deepEqual(await find('login nothing'), [])
  assert.deepEqual(await find('ogin'), [], 'a word is found from its beginning')
})

testLedger('any part of a text without spaces is found', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'JA', content: '消費税の計算が1円ずれるバグをAPIサーバーで直す。' })
  await client.createRun({ runId: 'ZH', title: '修复登录按钮loginForm' })
  await client.createRun({ runId: 'KO', content: '로그인에서 버튼을 추가' })
  const find = finder(ledger)
  await client.createRun({ runId: 'MIXED', title: '使用GitHub登录 見AUTH-001の件 第2〇号' })
  await client.createRun({ runId: 'WATER', content: 'เปิดก๊อกน้ำแล้ว' })
  await client.createRun({ runId: 'WORK', content: 'ทำงานวันนี้ हिन्दी' })
  assert.deepEqual(await find('น้ำ'), ['run WATER'])
  for (const q of ['วันนี้', 'हिन्दी']) assert.deepEqual(await find(q), ['run WORK'], q)
  for (const q of ['ที่', 'ไห']) assert.deepEqual(await find(q), [], q)
  await client.createRun({ runId: 'NFD', title: 'ガイド müller'.normalize('NFD') })
  for (const q of ['ガイド', 'Müller', 'イド']) assert.deepEqual(await find(q), ['run NFD'], q)
  for (const q of ['github登录', 'GITHUB', 'AUTH-001', 'auth-001の件', '第2〇号'])
    assert.deepEqual(await find(q), ['run MIXED'], q)
  await client.deleteRun({ runId: 'MIXED' })
  for (const q of ['計算', '税', '円ずれる', '消費税の計算', 'api', 'サーバー', 'バグ 消費税', 'APIサーバー', '直'])
    assert.deepEqual(await find(q), ['run JA'], q)
  for (const q of ['登录', '按钮loginFo', '按钮 form', '复']) assert.deepEqual(await find(q), ['run ZH'], q)
  for (const q of ['로그인', '버튼 추가', '그인']) assert.deepEqual(await find(q), ['run KO'], q)
  for (const q of ['算計', '税計', '登按']) assert.deepEqual(await find(q), [], q)
  const { results } = await client.search({ q: '計算' })
  assert.match(results[0]?.snippet ?? '', /消費税の\*\*計算\*\*が1円/)
  const far = [1, 330, 334, 500, 900, 990, 1005].map((at) => ({ at, word: `龍${String.fromCodePoint(0x4e8c + at)}` }))
  for (const { at, word } of far) {
    const letters = '一'.repeat(10_922 + at)
    await client.createRun({ runId: `FAR-${at}`, content: `${letters}${word}${'一'.repeat(2_000)}` })
    assert.deepEqual(await find(word), [`run FAR-${at}`], word)
  }
  for (const at of [248, 249, 250, 251]) {
    await client.createRun({ runId: `LONG-${at}`, content: `${'𠮷'.repeat(8_192 + at)}𠀋𠀌${'𠮷'.repeat(500)}` })
    assert.deepEqual(await find('𠀋𠀌'), [`run LONG-${at}`])
    await client.deleteRun({ runId: `LONG-${at}` })
  }
  assert.match((await client.search({ q: '円ずれる' })).results[0]?.snippet ?? '', /\*\*円ずれる\*\*/)
})

testLedger('the beginning of a word finds every word that goes on from it, however many', async (ledger) => {
  const { client } = ledger
  const texts: Record<string, string> = {
    ONE: 'zeta',
    JOINED: 'zeta-1/x',
    HUMP: 'zetaForm',
    OTHER: 'eta-zet',
    SIGMA: 'ΑΣ.Β',
  }
  for (const [runId, content] of Object.entries(texts)) await client.createRun({ runId, content })
  const find = finder(ledger)
  const runs = (...ids: string[]) => ids.map((id) => `run ${id}`)
  assert.deepEqual(await find('zeta'), runs('HUMP', 'JOINED', 'ONE'))
  assert.deepEqual(await find('zet'), runs('OTHER', 'HUMP', 'JOINED', 'ONE'))
  assert.deepEqual(await find('zeta-'), runs('HUMP', 'JOINED', 'ONE'))
  assert.deepEqual(await find('zeta-1'), runs('JOINED'))
  assert.deepEqual(await find('zetaf'), runs('HUMP'))
  assert.deepEqual(await find('zetax'), [])
  // The small sigma has another form at the end of a word, so that this word begins with none of its parts.
  assert.deepEqual(await find('ασ'), runs('SIGMA'))
  await client.createRun({ runId: 'MANY', content: Array.from({ length: 99 }, (_, n) => `zeta${n}`).join(' ') })
  await client.createRun({ runId: 'HEAD', title: 'zeta99' })
  assert.deepEqual(await find('zeta'), runs('HEAD', 'MANY', 'HUMP', 'JOINED', 'ONE'))
  assert.deepEqual(await find('zeta9'), runs('HEAD', 'MANY'))
})

testLedger('words in terminal colours are found', async (ledger) => {
  const { client } = ledger
  await client.createRun({
    runId: 'LOG',
    content: '\x1b[32m✔\x1b[0m \x1b[1mpasskeys\x1b[22m (1.2ms)\n\x1b[31mregression\x1b[39m',
  })
  const find = finder(ledger)
  for (const q of ['passkeys', 'regression']) assert.deepEqual(await find(q), ['run LOG'], q)
})

testLedger('a search finds every text at once, as it is now', async (ledger) => {
  const { client } = ledger
  const find = finder(ledger)
  await client.createRun({ runId: 'A', title: 'Passkeys', content: 'zebra' })
  assert.deepEqual(await find('zebra'), ['run A'])
  await client.updateRun({ runId: 'A', content: 'giraffe' })
  assert.deepEqual([await find('zebra'), await find('giraffe')], [[], ['run A']])
  await client.appendToRun({ runId: 'A', text: '\nantelope' })
  assert.deepEqual(await find('antelope giraffe'), ['run A'])
  await client.createSpec({ specId: 'S', content: '# Zebra crossing' })
  await client.createCheck({ checkId: 'C', runId: 'A', name: 'zebra', result: 'pass', command: 'npm test' })
  await client.createFeature({ name: 'zebra', file: 'src/zebra.ts' })
  assert.deepEqual(await find('zebra'), ['feature 1', 'check C', 'spec S'])
  assert.deepEqual(await find('zebra', { type: ['spec', 'check'] }), ['check C', 'spec S'])
  assert.deepEqual(await find('npm test'), ['check C'])
  await client.deleteCheck({ checkId: 'C' })
  await client.deleteSpec({ specId: 'S' })
  assert.deepEqual(await find('zebra'), ['feature 1'])
})

testLedger(
  'a search merges texts that wait for the index with those in it, page by page',
  async ({ client, store }) => {
    const filler = 'filler '.repeat(5_000)
    const texts = ['okapi', `okapi ${filler}`, `${filler} okapi`, `okapi ${filler} okapi`, 'nothing']
    for (let n = 0; n < 30; n++) await client.createRun({ runId: `R${n}`, title: 'a run', content: texts[n % 5] })
    await indexAll(store)
    for (let n = 0; n < 30; n += 2) {
      if (n % 3 === 0) await client.appendToRun({ runId: `R${n}`, text: ' okapi' })
      if (n % 5 === 0) await client.updateRun({ runId: `R${n}`, title: 'An okapi' })
      if (n % 7 === 0) await client.updateRun({ runId: `R${n}`, content: 'no more' })
      if (n % 11 === 0) await client.deleteRun({ runId: `R${n}` })
    }
    for (let n = 30; n < 33; n++) await client.createRun({ runId: `R${n}`, content: texts[n % 5] })
    const walk = async (limit: number) =>
      (await Array.fromAsync(client.all('search', { q: 'okapi', limit }))).map(({ subject }) => subject)
    const scanned = [await walk(1), await walk(2), await walk(100)]
    await indexAll(store)
    const indexed = await walk(100)
    assert.deepEqual(scanned, [indexed, indexed, indexed])
    assert.equal(indexed.length, new Set(indexed).size)
    assert.ok(indexed.length > 20, String(indexed.length))
  },
)

testLedger('a search ends while others write without pause', async ({ client, store }) => {
  let writes = 0
  // Whatever the search writes, somebody else writes before it reads again.
  const tx: typeof store.db.tx = async (work, subject) => {
    const value = await store.db.tx(work, subject)
    if (++writes > 20) throw new Error('The search follows the end of the log, which moves on.')
    await client.createRun({ title: `later ${writes}` })
    await numberEvents(store.db)
    return value
  }
  await client.createRun({ title: 'earlier' })
  await markChanged({ ...store.db, tx })
  assert.ok(writes < 5, `It wrote ${writes} times.`)
})

testLedger('a search with an up-to-date index writes nothing', async ({ client, store }) => {
  await client.createRun({ runId: 'A', title: 'badger' })
  await indexAll(store)
  const { tx } = store.db
  store.db.tx = () => Promise.reject(new ConductError('INSUFFICIENT_STORAGE', 'full'))
  assert.deepEqual(
    (await client.search({ q: 'badger' })).results.map(({ subject }) => subject),
    ['A'],
  )
  store.db.tx = tx
})

testLedger('hits in id and title come first, then the newest, page by page', async ({ client, store }) => {
  for (const n of [1, 2, 3]) await client.createRun({ runId: `BODY-${n}`, title: 'other', content: 'text with walrus' })
  for (const n of [1, 2]) await client.createRun({ runId: `HEAD-${n}`, title: 'A walrus' })
  for (const n of [4, 5]) await client.createRun({ runId: `BODY-${n}`, title: 'other', content: 'walrus' })
  await indexAll(store)
  const all = ['HEAD-2', 'HEAD-1', 'BODY-5', 'BODY-4', 'BODY-3', 'BODY-2', 'BODY-1']
  assert.deepEqual(
    (await client.search({ q: 'walrus' })).results.map(({ subject }) => subject),
    all,
  )
  for (const kept of [7, 5, 3, 1, 0]) {
    // As on a ledger whose index of the newest entries does not contain all entries.
    await store.db.tx((tx) => tx.query(sql`delete from search_recent where rowid < ${(all.length - kept + 1) * slots}`))
    for (const limit of [1, 2, 3, 20]) {
      const walked = await Array.fromAsync(client.all('search', { q: 'walrus', limit }))
      assert.deepEqual(
        walked.map(({ subject }) => subject),
        all,
        `limit ${limit}, ${kept} recent`,
      )
    }
  }
  await assert.rejects(client.search({ q: 'walrus', cursor: 'x' }), { code: 'BAD_REQUEST' })
})

testLedger(
  'a project key searches its project, and a server key all projects or those that it names',
  async (ledger) => {
    const { client, as } = ledger
    await client.createProject({ slug: 'shop' })
    await client.createRun({ runId: 'A', title: 'otter' })
    await as({ project: 'shop' }).createRun({ runId: 'B', title: 'otter' })
    const { secret } = await client.createKey({ name: 'r', permissions: ['read'], project: 'shop' })
    assert.deepEqual(await finder(ledger)('otter'), ['run B', 'run A'])
    assert.deepEqual(await finder(ledger)('otter', { project: ['default'] }), ['run A'])
    assert.deepEqual(await finder({ store: ledger.store, client: as({ key: secret }) })('otter'), ['run B'])
  },
)

testLedger('the syntax of either engine is treated as text', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'A', content: 'plain "quoted" NEAR text' })
  const find = finder(ledger)
  for (const q of [
    '"quoted"',
    'quoted NEAR',
    '(plain',
    'plain) OR',
    'text*',
    '-plain',
    "plain'; drop table runs",
    'plain & | ! <->',
  ]) {
    const known = q.includes('drop') || q.includes('OR')
    assert.deepEqual(await find(q), known ? [] : ['run A'], q)
  }
  for (const q of ['*', '"', '()', '&&', ':*', '-']) assert.deepEqual(await find(q), [], q)
  const { results } = await client.search({ q: 'quoted' })
  assert.equal(results[0]?.snippet, 'plain "**quoted**" NEAR text')
})

testLedger('a hit says whether its words are in the log of a run', async ({ client }) => {
  const git = { branch: 'topic/passkeys' }
  await client.createRun({ runId: 'LOG', title: 'Sign in', content: 'start\npasskeys were refused\n', git })
  await client.createRun({ runId: 'FACT', title: 'Other', content: 'nothing\n', git })
  await client.createCheck({ runId: 'FACT', name: 'passkeys', result: 'fail', content: 'passkeys\n' })
  for (const group of ['run', undefined] as const) {
    const { results } = await client.search({ q: 'passkeys', group, type: ['run', 'check'] })
    const runs = results.flatMap(({ type, subject, isInContent }) => (type === 'run' ? [[subject, isInContent]] : []))
    assert.deepEqual(runs.sort(), [
      ['FACT', false],
      ['LOG', true],
    ])
  }
})

testLedger('every word of a text of any length is found, even across the borders of passages', async (ledger) => {
  const { client } = ledger
  const find = finder(ledger)
  const filler = 'lorem ipsum dolor '
  const upTo = (bytes: number) => filler.repeat(Math.ceil(bytes / filler.length)).slice(0, bytes)
  const border = `${upTo(passageBytes - 4)} straddling ${upTo(passageBytes)} middle ${upTo(2 * passageBytes)} final`
  await client.createRun({ runId: 'LONG', title: 'A long one', content: border })
  for (const q of ['straddling', 'middle', 'final', 'lorem']) assert.deepEqual(await find(q), ['run LONG'], q)
  for (const q of ['ddling', 'str final', 'nal']) assert.deepEqual(await find(q), [], q)
  assert.deepEqual(await find('long middle'), ['run LONG'], 'the title counts in each passage')
  const { results } = await client.search({ q: 'middle' })
  assert.match(results[0]?.snippet ?? '', /\*\*middle\*\*/)
  // This text grows by pieces that split words, here and at each border of a passage.
  await client.createRun({ runId: 'LOG' })
  const log = `${upTo(passageBytes - 10)} separated ${upTo(passageBytes)} unbroken ${upTo(500)}`
  for (let at = 0; at < log.length; at += 9_001) {
    await client.appendToRun({ runId: 'LOG', text: log.slice(at, at + 9_001) })
    await find('lorem')
  }
  for (const q of ['separated', 'unbroken']) assert.deepEqual(await find(q), ['run LOG'], q)
  assert.deepEqual(await find('sep'), ['run LOG'])
  await client.updateRun({ runId: 'LOG', content: 'short' })
  assert.deepEqual(await find('unbroken'), [])
  await client.updateRun({ runId: 'LONG', title: 'Another name' })
  assert.deepEqual([await find('another middle'), await find('"A long"')], [['run LONG'], []])
  await client.deleteRun({ runId: 'LONG' })
  assert.deepEqual(await find('middle'), [])
})

testLedger(
  'a text over the limit loses the words of the dropped part, and no others',
  async (ledger) => {
    const { client } = ledger
    const find = finder(ledger)
    await client.createRun({ runId: 'LOG', content: `begin ${'x '.repeat(10)}` })
    for (let n = 0; n < 60; n++) {
      await client.appendToRun({ runId: 'LOG', text: `\nline${n}x ${`filler${n} `.repeat(400)}` })
      if (n % 7 === 0) await find('begin')
    }
    const { content } = (await client.getRun({ runId: 'LOG' })).run
    for (let n = 0; n < 60; n++) {
      assert.deepEqual(await find(`line${n}x`), content.includes(`line${n}x `) ? ['run LOG'] : [], `line${n}`)
    }
    assert.deepEqual(await find('begin'), ['run LOG'])
  },
  { contentLimit: 100_000 },
)

testLedger('no text stops the index', async (ledger) => {
  const { client } = ledger
  const find = finder(ledger)
  const commits = Array.from({ length: 17_000 }, (_, n) => hash('sha1', String(n)))
  await client.createRun({ runId: 'COMMITS', content: commits.join('\n') })
  for (const content of [
    '1.'.repeat(40_000),
    'a/'.repeat(40_000),
    'aB'.repeat(40_000),
    'é-'.repeat(40_000),
    'x'.repeat(900_000),
    Array.from({ length: 30_000 }, (_, n) => n.toString(36)).join(' '),
  ]) {
    await client.createRun({ content })
  }
  await client.createRun({ runId: 'AFTER', title: 'wombat' })
  assert.deepEqual(await find('wombat'), ['run AFTER'])
  for (const n of [0, 4_000, 8_500, 16_999]) assert.deepEqual(await find(commits[n] ?? ''), ['run COMMITS'], String(n))
})

testLedger('a walk through hits misses none that changes meanwhile', async ({ client }) => {
  for (let n = 0; n < 6; n++) await client.createRun({ runId: `R${n}`, content: 'kiwi' })
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await client.search({ q: 'kiwi', limit: 2, cursor })
    seen.push(...page.results.map(({ subject }) => subject))
    cursor = page.meta.nextCursor
    if (seen.length === 2) await client.updateRun({ runId: 'R0', labels: { changed: 'yes' } })
  } while (cursor)
  assert.deepEqual(seen, ['R5', 'R4', 'R3', 'R2', 'R1', 'R0'])
})

testLedger('checks that are deleted with their run are no longer found', async (ledger) => {
  const { client } = ledger
  const find = finder(ledger)
  await client.createRun({ runId: 'A' })
  for (let n = 0; n < 25; n++) await client.createCheck({ runId: 'A', name: `ostrich ${n}`, result: 'pass' })
  await client.createSpec({ specId: 'S', title: 'no bird', content: 'ostrich' })
  await client.deleteRun({ runId: 'A' })
  assert.deepEqual(await find('ostrich'), ['spec S'])
  const { results, meta } = await client.search({ q: 'ostrich', limit: 1 })
  assert.deepEqual([results.length, meta.hasMore], [1, false])
})

const words: [text: string, expected: string[]][] = [
  [
    'src/auth/loginForm.ts',
    ['src/auth/loginform.ts', 'auth/loginform.ts', 'loginform.ts', 'src', 'auth', 'loginform', 'ts', 'login', 'form'],
  ],
  ['AUTH-001', ['auth-001', 'auth', '001']],
  ['HTTPServer2', ['httpserver2', 'http', 'server2']],
  ['Über-Straße', ['über-straße', 'über', 'straße']],
  ['\x1b[1;31mfailed\x1b[0m: boats\x1b[K', ['failed', 'boats']],
  ['...', []],
]
for (const [text, expected] of words) {
  test(`the words of ${JSON.stringify(text)}`, () => assert.deepEqual([...wordsOf(text)].sort(), expected.sort()))
}

test('a query is split into words, and a snippet marks them', () => {
  assert.deepEqual(termsOf('Fix "src/a.ts" (now!)'), ['fix', 'src/a.ts', 'now'])
  const text = `${'before '.repeat(40)}the needle is here ${'after '.repeat(40)}`
  assert.match(snippetOf(text, ['needle']), /^….*the \*\*needle\*\* is here.*…$/)
  assert.equal(snippetOf('short', ['none']), 'short')
})

const digest =
  '# Store passkeys\n\n## Store passkeys\n\n> Store passkeys\n\nThe `login` form has a **button** now.\n\n- used Edit ×6\n'

const tabular = 'It has a table:\n\n| file | |\n|---|---|\n| `a.ts` | +14 |\n'

for (const [terms, expected] of [
  [['passkeys'], 'Store **passkeys** The login form has a button now. used Edit ×6'],
  [['button'], '…The login form has a **button** now. used Edit ×6'],
] as const) {
  test(`a snippet for ${terms} is a sentence without the marks of Markdown`, () => {
    assert.equal(snippetOf(digest, [...terms]), expected)
  })
}

test('a snippet of a table has its words only', () => {
  assert.equal(snippetOf(tabular, ['a.ts']), '…**a.ts** +14')
})

testLedger('grouped by run, a run is found once, with its turns and checks below it', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'OTHER', title: 'Zebra crossing' })
  await client.createRun({ runId: 'R', title: 'Animals', agent: 'codex', status: 'in_progress' })
  await client.appendTurn({ runId: 'R', prompt: 'Add the zebra', answer: 'Added.' })
  await client.appendTurn({ runId: 'R', prompt: 'Feed the zebra', answer: 'Fed.' })
  await client.createCheck({ runId: 'R', name: 'zebra', result: 'pass' })
  await client.createSpec({ specId: 'S', title: 'A zebra' })
  const { results } = await client.search({ q: 'zebra', group: 'run' })
  const told = results.map(({ type, subject, parts = [] }) => [
    `${type} ${subject}`,
    parts.map((part) => part.subject).toSorted(),
  ])
  assert.deepEqual(Object.fromEntries(told), {
    'spec S': [],
    'run R': ['CHECK-001', 'R/1', 'R/2'],
    'run OTHER': [],
  })
  const run = results.find(({ subject }) => subject === 'R')
  assert.deepEqual([run?.title, run?.status, run?.agent], ['Animals', 'in_progress', 'codex'])
  const found = await client.search({ q: 'zebra' })
  assert.equal(found.results.length, 6)
  assert.ok(found.results.every((one) => !('parts' in one)))
})

testLedger('a search with run filters finds the runs that a list with the same filters contains', async (ledger) => {
  const { client } = ledger
  const find = finder(ledger)
  const git = (branch: string, commit: string) => ({ branch, commit: commit.repeat(40) })
  await client.createSpec({ specId: 'S-1', title: 'A zebra' })
  await client.createRun({ runId: 'A', title: 'zebra', agent: 'x', specId: 'S-1', labels: { team: 'web' } })
  await client.createRun({ runId: 'B', content: 'zebra', agent: 'y', author: 'Ada', git: git('main', 'b') })
  await client.createRun({ runId: 'C', title: 'zebra', agent: 'y', author: 'Ada', status: 'failed' })
  await client.createRun({ runId: 'D', title: 'giraffe', agent: 'y', author: 'Ada', status: 'failed' })
  await client.linkFeatures({ runId: 'B', features: [{ name: 'herd' }] })
  await client.createCheck({ runId: 'A', name: 'tests', result: 'pass' })
  const asked: [filters: Omit<Parameters<typeof client.search>[0], 'q'>, found: string[]][] = [
    [{ status: ['failed'] }, ['run C']],
    [{ status: ['failed', 'pending'], agent: 'y' }, ['run C', 'run B']],
    [{ agent: 'x' }, ['run A']],
    [{ author: 'Ada', branch: 'main' }, ['run B']],
    [{ label: ['team:web'] }, ['run A']],
    [{ label: ['team:api'] }, []],
    [{ specId: 'S-1', specVersion: 1 }, ['run A']],
    [{ specVersion: 2 }, []],
    [{ verdict: ['verified'] }, ['run A']],
    [{ commit: 'bbbbbbb' }, ['run B']],
    [{ commit: 'ccccccc' }, []],
    [{ featureId: 1 }, ['run B']],
    [{ createdAfter: '2999-01-01T00:00:00Z' }, []],
    [{ createdBefore: '2999-01-01T00:00:00Z', agent: 'x' }, ['run A']],
    [{ agent: 'x', type: ['run', 'spec'] }, ['run A']],
    [{ agent: 'x', type: ['spec'] }, []],
  ]
  for (const [filters, found] of asked) assert.deepEqual(await find('zebra', filters), found, JSON.stringify(filters))
  assert.deepEqual(await find('zebra'), ['run C', 'run B', 'run A', 'spec S-1'])
  await client.appendTurn({ runId: 'D', prompt: 'Paint the zebra', files: [{ path: 'zebra.ts' }] })
  await client.createCheck({ runId: 'D', name: 'zebra', result: 'fail' })
  await client.createFeature({ name: 'zebra' })
  assert.deepEqual(await find('zebra', { status: ['failed'] }), [
    ...['check CHECK-002', 'turn D/1'],
    ...['run C', 'run D'],
  ])
  assert.deepEqual(await find('zebra', { agent: 'x' }), ['run A'])
})

testLedger('a failed run is found by why it failed', async (ledger) => {
  const { client } = ledger
  const find = finder(ledger)
  await client.createRun({
    runId: 'A',
    status: 'failed',
    failure: { code: 'DEPLOY_FAILED', message: 'No quota left.' },
  })
  const generated = { code: 'EXIT_1', message: 'The command ended with exit code 1 quota.' }
  await client.createRun({ runId: 'B', status: 'failed', failure: generated })
  assert.deepEqual(await find('EXIT_1'), ['run B'])
  for (const q of ['DEPLOY_FAILED', 'quota', 'deploy']) assert.deepEqual(await find(q), ['run A'], q)
  for (const q of ['code', 'message']) assert.deepEqual(await find(q), [], q)
  await client.updateRun({ runId: 'A', status: 'completed', failure: null })
  assert.deepEqual(await find('quota'), [])
})

testLedger('a search finds all hits that match a selective filter, page by page', async ({ client, store }) => {
  for (let n = 0; n < 260; n++) {
    await client.createRun({ runId: `R-${n}`, title: 'okapi', agent: n % 40 === 0 ? 'rare' : 'common' })
  }
  await indexAll(store)
  await client.updateRun({ runId: 'R-80', title: 'An okapi' })
  const found: string[] = []
  for await (const { subject } of client.all('search', { q: 'okapi', agent: 'rare', limit: 2 })) found.push(subject)
  assert.deepEqual(found.toSorted(), ['R-0', 'R-120', 'R-160', 'R-200', 'R-240', 'R-40', 'R-80'])
})
