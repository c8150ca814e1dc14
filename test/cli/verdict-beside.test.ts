import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../../src/client/client.ts'
import { adminKey, openServer } from '../support/server.ts'
import { start } from './program.ts'
import { claudeIn, onlyRun, runsOf, syncAll, workplace } from './session.ts'
import { localUser, writeFiles } from './user.ts'
import { rules, type Session, session } from './verdict-session.ts'

// What else happens while a check runs and after it, by the session itself, by other sessions and by people, and the
// verdict that the run has then.

const newTest = { 'new.test.js': 'fails()\n' }
const inBackground = { tool_response: { backgroundTaskId: 'b1' } }

/** Another session writes a file, and ends. */
async function theyWrite(theirs: ReturnType<typeof claudeIn>, path: string) {
  await theirs.prompt('Mine')
  await theirs.write(path, 'ok()\n')
  await theirs.stop()
  await theirs.end()
}

const cases: [what: string, does: (s: Session) => Promise<unknown>, verdict: string][] = [
  ...(['command', 'tool', 'person'] as const).map((by): (typeof cases)[number] => [
    `an edit by a ${by}, after the tests, of a file that another session wrote before`,
    async ({ claude, run, write, beside, other }) => {
      await theyWrite(other(), 'shared.js')
      await write('own.js', '1\n')
      await run('npm test')
      if (by === 'command') await run('echo broken >> shared.js')
      if (by === 'tool') await write('shared.js', 'broken\n')
      if (by !== 'person') return
      await claude.stop()
      beside({ 'shared.js': 'broken\n' })
      await claude.prompt('And?')
    },
    'stale executed',
  ]),
  [
    "a new file by a subagent's command that began before the tests and ends after them",
    async ({ claude, run, beside }) => {
      const input = { command: 'node generate.js' }
      const tool = { tool_name: 'Bash', tool_input: input, tool_use_id: 'sub', agent_id: 'a1', agent_type: 'writer' }
      await claude.tell('PreToolUse', tool)
      await run('npm test', () => beside(newTest))
      await claude.tell('PostToolUse', { ...tool, tool_response: {} })
    },
    'stale executed',
  ],
  ...['mcp__gen__codegen', 'Write'].map((tool_name): (typeof cases)[number] => [
    `a new file by ${tool_name}, which began before the tests and ends after them`,
    async ({ claude, run, beside }) => {
      const tool = { tool_name, tool_input: { file_path: 'new.test.js' }, tool_use_id: 'gen', agent_id: 'a1' }
      await claude.tell('PreToolUse', tool)
      await run('npm test', () => beside(newTest))
      await claude.tell('PostToolUse', { ...tool, tool_response: {} })
    },
    'stale executed',
  ]),
  [
    'a report that the tests leave after a tool that was refused',
    async ({ claude, run, beside }) => {
      const tool = { tool_name: 'Write', tool_input: { file_path: 'new.test.js' }, tool_use_id: 'no' }
      await claude.tell('PreToolUse', tool)
      const response = "The user doesn't want to proceed with this tool use."
      await claude.tell('PostToolBatch', { tool_calls: [{ ...tool, tool_response: response }] })
      await run('npm test', () => beside({ 'coverage/index.html': 'x' }))
    },
    'verified executed',
  ],
  [
    'a report that the tests leave after an edit whose end has no id, as in Cursor',
    async ({ claude, run, beside }) => {
      const tool = { tool_name: 'Write', tool_input: { file_path: 'a.js' } }
      await claude.tell('PreToolUse', { ...tool, tool_use_id: 'w' })
      await claude.tell('PostToolUse', { ...tool, tool_response: {} })
      await run('npm test', () => beside({ 'coverage/index.html': 'x' }))
    },
    'verified executed',
  ],
  [
    'a new file by a tool that goes on after the turn in which it began',
    async ({ claude, run, beside }) => {
      const tool = { tool_name: 'mcp__gen__codegen', tool_input: {}, tool_use_id: 'gen', agent_id: 'a1' }
      await claude.tell('PreToolUse', tool)
      await claude.stop()
      await claude.prompt('Test')
      await run('npm test', () => beside(newTest))
      await claude.tell('PostToolUse', { ...tool, tool_response: {} })
    },
    'stale executed',
  ],
  [
    'a report that the tests leave after lines with an & that is none',
    async ({ claude, run, beside }) => {
      await claude.use('Bash', { command: 'git commit -m "$(cat <<\'EOF\'\nA & B\nEOF\n)"' }, () => {})
      await run('npm test', () => beside({ 'coverage/index.html': 'x' }))
    },
    'verified executed',
  ],
  ...['sleep 9 >log &', 'nohup npx tsc --watch >/dev/null 2>&1 & echo $!'].map((command): (typeof cases)[number] => [
    `a new file after ${command}`,
    async ({ claude, run, beside }) => {
      await claude.use('Bash', { command }, () => {})
      await run('npm test', () => beside(newTest))
    },
    'stale executed',
  ]),
  [
    'a new file while a command runs in the background',
    async ({ claude, run, beside }) => {
      await claude.use('Bash', { command: 'node generate.js --watch' }, () => {}, inBackground)
      await run('npm test', () => beside(newTest))
    },
    'stale executed',
  ],
  [
    'a report that the tests leave while a session in another repository writes',
    async ({ run, beside, env, folder }) => {
      const elsewhere = join(folder, 'elsewhere')
      mkdirSync(elsewhere)
      await run('npm test', async () => {
        beside({ 'coverage/index.html': 'x' })
        await theyWrite(claudeIn(elsewhere, env), 'a.txt')
      })
    },
    'verified executed',
  ],
  ...['git checkout -q -f main', 'git switch -q --discard-changes main', 'git checkout -q -f other'].map(
    (command): (typeof cases)[number] => [
      `work that ${command} throws away after the tests`,
      async ({ shell, write, run }) => {
        shell('git branch other')
        await write('work', 'pass, and more\n')
        await run('npm test')
        await run(command)
      },
      'stale executed',
    ],
  ),
  [
    'tests in the background, and work that commands change meanwhile and bring back',
    async ({ claude, run }) => {
      const prompted = { type: 'user', message: { content: 'Go' }, timestamp: '2026-11-28T09:00:00.000Z' }
      const ended = {
        ...{ type: 'queue-operation', operation: 'enqueue', timestamp: '2026-11-28T09:00:09.000Z' },
        content: `<task-notification>\n<tool-use-id>toolu_${claude.session}_2</tool-use-id>\n<summary>Background command "Test" completed (exit code 0)</summary>\n</task-notification>`,
      }
      claude.transcribe(prompted)
      await claude.use('Bash', { command: 'npm test' }, () => {}, inBackground)
      await run('sed -i s/pass/passing/ work')
      claude.transcribe(prompted, ended)
      await run('git checkout -q work')
    },
    'stale executed',
  ],
]

for (const [what, does, expected] of cases) {
  test(`${what}: ${expected}`, async (t) => {
    const s = await session(t)
    await does(s)
    await s.claude.stop()
    assert.equal(await s.verdict(), expected)
  })
}

for (const line of [
  `npm test && cat > NOTES.md <<'EOF'\n${'A long note about the checkout.\n'.repeat(80)}EOF\ngit add -A`,
  `npm test && echo ${'src/components/checkout/part.tsx '.repeat(80)}; echo done`,
  `npm test && echo ${'src/components/checkout/part.tsx '.repeat(80)} || true`,
]) {
  test(`tests that fail in a line of ${line.length} characters do not pass by its end ${line.slice(-8)}`, async (t) => {
    const { claude, run, write, verdict } = await session(t)
    await write('work', 'broken\n')
    await run(line)
    await claude.stop()
    assert.equal(await verdict(), 'unchecked null')
  })
}

test('a failed command has the exit code that its report begins with, and no other', async (t) => {
  const { claude, verdict, ledger } = await session(t)
  const fails = (error: string) => claude.use('Bash', { command: 'npm test' }, () => {}, { error })
  await fails('Command timed out after 2m 0.0s\n[worker 1] finished with exit code 0')
  await fails('Exit code 2\nstatus code 404')
  await claude.stop()
  assert.equal(await verdict(), 'failing executed')
  const { checks } = await (await ledger()).listChecks()
  assert.deepEqual(
    checks.map(({ exitCode }) => exitCode),
    [2],
  )
})

for (const by of ['tool', 'command'] as const) {
  test(`a new file by a ${by} of the session while check exec runs: stale`, async (t) => {
    const waiting = 'touch "$HOME/begun"; while ! [ -e "$HOME/go" ]; do sleep 0.1; done\n'
    const { claude, env, cwd, folder, verdict, beside } = await session(
      t,
      { checks: { tests: 'sh test.sh' }, required: ['tests'] },
      { 'test.sh': waiting },
    )
    await syncAll(env)
    const words = ['check', 'exec', '--name', 'tests', '--', 'sh', 'test.sh']
    const tool = { tool_name: 'Bash', tool_input: { command: `conduct ${words.join(' ')}` }, tool_use_id: 'own' }
    await claude.tell('PreToolUse', tool)
    const { ran } = start(words, { ...env, CLAUDE_CODE_SESSION_ID: claude.session }, cwd)
    while (!existsSync(join(folder, 'begun'))) await sleep(20)
    if (by === 'tool') await claude.write('new.test.js', 'fails()\n')
    else await claude.use('Bash', { command: 'node gen.js' }, () => beside(newTest))
    writeFileSync(join(folder, 'go'), '')
    await ran
    await claude.tell('PostToolUse', { ...tool, tool_response: {} })
    await claude.stop()
    assert.equal(await verdict(), 'stale executed')
  })
}

/** Runs `conduct check exec` as a command of the session. */
async function checkExec({ claude, env, cwd }: Session, ...command: string[]) {
  const words = ['check', 'exec', '--name', 'tests', '--', ...command]
  const tool = { tool_name: 'Bash', tool_input: { command: `conduct ${words.join(' ')}` }, tool_use_id: 'own' }
  await claude.tell('PreToolUse', tool)
  await start(words, { ...env, CLAUDE_CODE_SESSION_ID: claude.session }, cwd).ran
  await claude.tell('PostToolUse', { ...tool, tool_response: {} })
}

test('check exec goes by the rules with which the session began, before any of it was sent', async (t) => {
  const s = await session(t)
  await s.write('work', 'broken\n')
  await s.write('conduct.json', '{ "project": "shop" }')
  await checkExec(s, 'true')
  await s.claude.stop()
  assert.equal(await s.verdict(), 'unchecked null')
})

test('a new file while check exec runs, after a line that left a process, before any of it was sent: stale', async (t) => {
  const files = { 'test.sh': 'echo 1 > new.test.js\n' }
  const s = await session(t, { checks: { tests: 'sh test.sh' }, required: ['tests'] }, files)
  await s.claude.use('Bash', { command: 'node generate.js --watch &' }, () => {})
  await checkExec(s, 'sh', 'test.sh')
  await s.claude.stop()
  assert.equal(await s.verdict(), 'stale executed')
})

test('what a check without a rule leaves is work, where other checks have rules', async (t) => {
  const { claude, env, cwd, verdict, run } = await session(t)
  await run('npm test')
  await syncAll(env)
  const words = ['check', 'exec', '--name', 'generate', '--', 'sh', '-c', 'echo "fails()" > new.test.js']
  const tool = { tool_name: 'Bash', tool_input: { command: `conduct ${words.join(' ')}` }, tool_use_id: 'own' }
  await claude.tell('PreToolUse', tool)
  await start(words, { ...env, CLAUDE_CODE_SESSION_ID: claude.session }, cwd).ran
  await claude.tell('PostToolUse', { ...tool, tool_response: {} })
  await claude.stop()
  assert.equal(await verdict(), 'stale executed')
})

test('a resumed session takes no rules from a branch that it checked out itself', async (t) => {
  const { claude, run, verdict, shell, beside } = await session(t)
  shell('git checkout -q -b lax')
  beside({ 'conduct.json': '{ "project": "shop", "checks": { "tests": "true" } }' })
  shell('git commit -qam lax && git checkout -q main')
  await run('git checkout -q lax')
  await claude.stop()
  await claude.end()
  assert.equal(await verdict(), 'unchecked null')
  await claude.prompt('Go on')
  await run('true')
  await claude.stop()
  assert.equal(await verdict(), 'unchecked null')
})

test("a person's commit that a session only pulls with a rebase is not the session's", async (t) => {
  const s = await session(t)
  s.shell('git checkout -q -b upstream && echo u > up && git add -A && git commit -qm up && git checkout -q main')
  s.shell('echo p > p && git add -A && GIT_AUTHOR_DATE=2026-01-01T00:00:00Z git commit -qm persons')
  await s.run('git pull -q --rebase . upstream')
  await s.run('git checkout -q -b own && echo o > o && git add -A && git commit -qm own && git rebase -q upstream')
  await s.claude.stop()
  await syncAll(s.env)
  const run = await onlyRun(s)
  const commits = run.git?.commits?.map((commit) => s.git('log', '-1', '--format=%s', commit))
  assert.deepEqual([commits, run.changes?.files], [['own'], 1])
})

test('a session that begins under a wrong conduct.json takes no rules from its agent', async (t) => {
  const { claude, run, write, verdict } = await session(t, { checks: { tests: 7 }, required: ['tests'] })
  await write('conduct.json', '{ "project": "shop", "checks": { "tests": "true" } }')
  await run('true')
  await claude.stop()
  assert.equal(await verdict(), 'unchecked null')
})

for (const isLeftover of [true, false]) {
  const what = isLeftover ? 'edited after the tests had generated it' : 'written by the agent alone'
  test(`CI verifies no run with a module that is not committed, ${what}`, async (t) => {
    const { url } = await openServer(t)
    await createClient({ url, key: adminKey }).createProject({ slug: 'shop' })
    const s = await session(t, rules, {}, { CONDUCT_URL: url, CONDUCT_API_KEY: adminKey })
    await s.write('a.js', '1\n')
    await s.run('npm test', () => isLeftover && s.beside({ 'src/generated.js': 'generated()\n' }))
    await s.write('src/generated.js', 'changed()\n')
    await s.run('git add a.js && git commit -qm a')
    await s.claude.stop()
    await syncAll(s.env)
    const { secret } = await (await s.ledger()).createKey({ name: 'ci', permissions: ['agent'] })
    const ci = createClient({ url, key: secret, project: 'shop' })
    const [commit, commitTree] = [s.git('rev-parse', 'HEAD'), s.git('rev-parse', 'HEAD^{tree}')]
    await ci.createCheck({ commit, commitTree, dirty: false, name: 'tests', result: 'pass' })
    assert.equal(await s.verdict(), 'stale independent')
  })
}

test('after a hook in which git was slow, later checks have a tree again, and until then say so', async (t) => {
  const s = await session(t)
  await s.write('a', '1')
  await s.run('echo b > b')
  const objects = join(s.folder, '.local/state/conduct/objects')
  for (const name of readdirSync(objects)) writeFileSync(join(objects, name, 'slow'), '')
  await s.run('npm test')
  await s.claude.stop()
  assert.equal(await s.verdict(), 'stale executed')
  assert.equal((await onlyRun(s)).why, '`npm test` passed; on which files is not known; not committed: a, b')
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 })
  await s.claude.prompt('Once more')
  await s.run('npm test')
  await s.claude.stop()
  t.mock.timers.reset()
  assert.equal(await s.verdict(), 'verified executed')
})

test('after the clock is set back, git is not left alone for longer', async (t) => {
  const s = await session(t)
  await s.run('echo b > b')
  const objects = join(s.folder, '.local/state/conduct/objects')
  const ahead = Date.now() / 1000 + 3600
  for (const name of readdirSync(objects)) {
    writeFileSync(join(objects, name, 'slow'), '')
    utimesSync(join(objects, name, 'slow'), ahead, ahead)
  }
  await s.run('npm test')
  await s.claude.stop()
  assert.equal(await s.verdict(), 'verified executed')
})

for (const [tool, verdict] of [
  ['mcp__filesystem__write_file', 'stale'],
  ['mcp__serena__replace_symbol_body', 'stale'],
  ['Read', 'verified'],
  ['mcp__conduct__record_check', 'verified'],
] as const) {
  test(`outside git, after tests and then ${tool}, a run is ${verdict}`, async (t) => {
    const user = localUser(t)
    const { env, cwd } = user
    writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "checks": { "tests": "true" } }' })
    const claude = claudeIn(cwd, env)
    await claude.prompt('Work')
    await claude.run('true')
    await claude.use(tool, { path: join(cwd, 'a.ts') }, () => {})
    await claude.stop()
    await syncAll(env)
    assert.equal((await onlyRun(user)).verdict, verdict)
  })
}

test("in a folder that is reached by a link, another session's file is its own", async (t) => {
  const user = workplace(t)
  const { env, cwd, git, folder } = user
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "checks": { "tests": "true" } }' })
  git('add', '-A')
  git('commit', '-qm', 'rules')
  const link = join(folder, 'link')
  symlinkSync(cwd, link)
  const claude = claudeIn(link, env)
  await claude.prompt('Work')
  await claude.write('a', '1')
  await claude.run('true')
  await theyWrite(claudeIn(link, env), 'b')
  await claude.stop()
  await syncAll(env)
  const run = (await runsOf(user)).find(({ title }) => title === 'Work')
  assert.deepEqual([run?.verdict, run?.git?.uncommitted?.paths], ['verified', ['a']])
})
