import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { stateFile } from '../../src/capture/spool/state-file.ts'
import { claudeIn, onlyRun, syncAll, workplace } from './session.ts'
import { writeFiles } from './user.ts'

type Claude = ReturnType<typeof claudeIn>

const prompted = { type: 'user', message: { content: 'Go' }, timestamp: '2026-11-28T09:00:00.000Z' }

/** The report that a command in the background has ended, as Claude Code's transcript has it. */
const report = ({ session }: Claude, exitCode: number) => ({
  type: 'queue-operation',
  operation: 'enqueue',
  timestamp: '2026-11-28T09:00:09.000Z',
  content: `<task-notification>
<tool-use-id>toolu_${session}_2</tool-use-id>
<summary>Background command "Test" completed (exit code ${exitCode})</summary>
</task-notification>`,
})

const ends: [
  what: string,
  exitCode: number,
  meanwhile: (claude: Claude) => unknown,
  end: 'turn' | 'session',
  expected: unknown,
][] = [
  ['passes', 0, () => {}, 'turn', ['verified', 'pass', true]],
  ['fails', 1, () => {}, 'turn', ['failing', 'fail', true]],
  [
    'passes while the agent edits a file',
    0,
    (claude) => claude.write('a.txt', 'x\n'),
    'turn',
    ['stale', 'pass', false],
  ],
  [
    'passes while the agent edits a file and undoes that',
    0,
    (claude) => claude.write('a.txt', 'x\n').then(() => claude.run('rm a.txt')),
    'turn',
    ['stale', 'pass', false],
  ],
  [
    'passes while somebody refuses another command',
    0,
    (claude) =>
      claude.tell('PostToolBatch', {
        tool_calls: [
          {
            ...{ tool_name: 'Bash', tool_input: { command: 'rm -rf src' }, tool_use_id: 'toolu_refused' },
            tool_response: "The user doesn't want to proceed with this tool use.",
          },
        ],
      }),
    'turn',
    ['verified', 'pass', true],
  ],
  ['fails when the session ends', 1, () => {}, 'session', ['failing', 'fail', true]],
]

async function checked(user: ReturnType<typeof workplace>) {
  const { runId, verdict } = await onlyRun(user)
  return { verdict, ...(await (await user.ledger()).listChecks({ runId })) }
}

/** A session whose transcript will tell how the command ended that it has started in the background. */
async function started(t: TestContext, command: string) {
  const user = workplace(t)
  writeFiles(user.cwd, { 'conduct.json': '{ "project": "shop", "checks": { "tests": "npm test" } }\n' })
  user.git('commit', '-qam', 'rules')
  const claude = claudeIn(user.cwd, user.env)
  claude.transcribe(prompted)
  await claude.prompt('Go')
  await claude.use('Bash', { command }, () => {}, { tool_response: { backgroundTaskId: 'b1' } })
  await claude.tell('Stop', { background_tasks: [{ status: 'running' }] })
  await syncAll(user.env)
  assert.deepEqual((await checked(user)).checks, [])
  return { ...user, claude }
}

for (const [what, exitCode, meanwhile, end, expected] of ends) {
  test(`a command in the background that ${what}, after its turn, is a check`, async (t) => {
    const { claude, ...user } = await started(t, 'npm test')
    await meanwhile(claude)
    claude.transcribe(prompted, report(claude, exitCode))
    await (end === 'turn' ? claude.stop('It is over.') : claude.end())
    await syncAll(user.env)
    const { checks, verdict } = await checked(user)
    const [check] = checks
    assert.deepEqual([verdict, check?.result, check?.tree !== null], expected)
    assert.deepEqual([checks.length, check?.exitCode, check?.evidence], [1, exitCode, 'executed'])
  })
}

const secretLines: [line: string, exitCode: number, results: string[]][] = [
  ['npm test && redis-cli -a hunter22; true', 0, []],
  ['redis-cli -a hunter22; npm test', 3, ['fail']],
  ['npm test > password=hunter22', 0, ['pass']],
]

for (const [line, exitCode, results] of secretLines) {
  test(`\`${line}\` in the background is read as it is, and its secret is not kept`, async (t) => {
    const { claude, ...user } = await started(t, line)
    const db = new DatabaseSync(stateFile(user.env))
    const kept = db.prepare('select memo from recordings').all()
    db.close()
    assert.match(JSON.stringify(kept), /\[masked\]/)
    assert.doesNotMatch(JSON.stringify(kept), /hunter22/)
    claude.transcribe(prompted, report(claude, exitCode))
    await claude.stop('It is over.')
    await syncAll(user.env)
    const { checks } = await checked(user)
    assert.deepEqual(
      checks.map(({ result, exitCode }) => [result, exitCode]),
      results.map((result) => [result, exitCode]),
    )
    const { events } = await (await user.ledger()).listEvents({ limit: 100 })
    assert.doesNotMatch(JSON.stringify([checks, events]), /hunter22/)
  })
}
