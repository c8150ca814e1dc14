import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { stateFile } from '../../src/capture/spool/state-file.ts'
import { createClient } from '../../src/client/client.ts'
import { settleMs } from '../../src/recorder/agents/tools.ts'
import { documentOf } from '../agents/documents.ts'
import { size } from '../proof/size.ts'
import { openReceiver } from '../support/receiver.ts'
import { adminKey, openServer } from '../support/server.ts'
import { launchedUser } from './launched.ts'
import { claudeIn, workplace } from './session.ts'
import { writeFiles } from './user.ts'

/** How often each agent waits, and within how many milliseconds somebody is told: a busy machine takes longer. */
const [waits, mostMs] = [size(2, 34), size(15_000, 2_000)]

type Documents = Record<'prompt' | 'before' | 'ask' | 'after', object> & { others: object[] }

/** The documents of a tool that asks for permission, by agent; `others` come with a wait that has begun, and say less. */
const agents: Record<string, { tool: string; documents(of: object, n: number): Documents }> = {
  claude: {
    tool: 'Bash',
    documents(of, n) {
      const as = (name: string) => documentOf('claude', name, { ...of, prompt_id: 'p', tool_use_id: `t${n}` })
      return {
        prompt: as('UserPromptSubmit'),
        before: as('PreToolUse-Bash'),
        ask: as('PermissionRequest-Bash'),
        after: as('PostToolUse-Bash'),
        others: [as('Notification-permission_prompt')],
      }
    },
  },
  codex: {
    tool: 'Bash',
    documents(of, n) {
      const as = (name: string, more = {}) => documentOf('codex', name, { ...of, tool_use_id: `t${n}`, ...more })
      return {
        prompt: as('UserPromptSubmit'),
        before: as('PreToolUse-Bash'),
        ask: as('PreToolUse-Bash', { hook_event_name: 'PermissionRequest' }),
        after: as('PostToolUse-Bash'),
        others: [],
      }
    },
  },
  copilot: {
    tool: 'bash',
    documents({ session_id: sessionId, ...of }: { session_id?: string }, n) {
      const as = (name: string) => documentOf('copilot', name, { ...of, sessionId, timestamp: 1_795_566_752_081 + n })
      const { cwd, timestamp } = as('preToolUse-bash')
      return {
        prompt: as('userPromptSubmitted'),
        before: as('preToolUse-bash'),
        ask: { sessionId, cwd, timestamp, hook_event_name: 'Notification', notification_type: 'permission_prompt' },
        after: as('postToolUse-bash'),
        others: [as('permissionRequest-bash')],
      }
    },
  },
}

for (const [agent, { tool, documents }] of Object.entries(agents)) {
  test(`${waits} waits of ${agent} are told with the tool, none is left standing, and allowed calls tell nothing`, async (t) => {
    const { url } = await openServer(t, undefined, { webhooks: { allow: ['127.0.0.1'] } })
    const admin = createClient({ url, key: adminKey })
    await admin.createProject({ slug: 'shop' })
    const receiver = await openReceiver(t)
    await admin.createWebhook({ url: receiver.url, format: 'text', project: 'shop' })
    const user = launchedUser(t, { CONDUCT_URL: url, CONDUCT_API_KEY: adminKey })
    const of = { session_id: randomUUID(), cwd: user.cwd, transcript_path: `${user.cwd}/none.jsonl` }
    const tell = async (...all: object[]) => {
      for (const document of all) await user.tell({ ...document }, agent)
    }
    const state = async () =>
      (await createClient({ url, key: adminKey, project: 'shop' }).getRun({ runId: 'RUN-001' })).run.activity?.state
    await tell(documents(of, 0).prompt)
    await user.listening()
    let late = 0
    for (let n = 1; n <= waits; n++) {
      const told = receiver.received.length
      const { before, ask, after, others } = documents(of, n)
      await tell(before)
      const asked = performance.now()
      await tell(ask)
      await receiver.until(({ length }) => length > told)
      const ms = performance.now() - asked
      assert.ok(ms < mostMs, `told after ${Math.round(ms)} ms`)
      assert.match(receiver.received.at(-1)?.body ?? '', new RegExp(` waits for ${tool} in RUN-001 `))
      await tell(...others)
      assert.equal(await state(), 'waiting')
      await tell(after)
      while ((await state()) !== 'working') await sleep(50)
      // A rule answers this one.
      const allowed = documents(of, 1_000 + n)
      await tell(allowed.before)
      const began = performance.now()
      await tell(...(agent === 'copilot' ? allowed.others : [allowed.ask]), allowed.after)
      // On a busy machine, the rule answers no sooner than a person would.
      if (performance.now() - began >= settleMs) late++
    }
    const more = receiver.received.length - waits
    assert.ok(more >= 0 && more <= late, `${more} more than ${waits} waits, with ${late} late answers`)
    assert.equal(await state(), 'working')
  })
}

test('a wait is over before git looks at what came of it', async (t) => {
  const { env, cwd, folder } = workplace(t)
  const claude = claudeIn(cwd, env)
  await claude.prompt('Run it')
  const call = { tool_name: 'Bash', tool_input: { command: 'touch made' }, tool_use_id: 'toolu_1' }
  await claude.tell('PreToolUse', call)
  await claude.tell('PermissionRequest', call)
  const { PATH } = process.env
  const [kept, bin] = [join(folder, 'kept'), join(folder, 'bin')]
  const copy = `mkdir -p '${kept}' && cp '${dirname(stateFile(env))}'/* '${kept}'`
  writeFiles(bin, { git: `#!/bin/sh\n[ -d '${kept}' ] || { ${copy}; }\nPATH='${PATH}' exec git "$@"\n` })
  chmodSync(join(bin, 'git'), 0o755)
  process.env.PATH = `${bin}:${PATH}`
  await claude.tell('PostToolUse', { ...call, tool_response: {} }).finally(() => {
    process.env.PATH = PATH
  })
  const db = new DatabaseSync(join(kept, basename(stateFile(env))))
  t.after(() => db.close())
  assert.equal(db.prepare("select activity ->> 'state' as state from recordings").get()?.state, 'working')
})
