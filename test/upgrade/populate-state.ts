import type { openState } from '../../src/capture/spool/state.ts'

type State = ReturnType<typeof openState>

/** A placeholder for the folder of the recordings and their ledger, which a test replaces. */
const folder = '{folder}'
const place = { kind: 'local', databaseUrl: `sqlite:${folder}/conduct.db`, project: 'shop' } as const

/** Creates recordings of each kind, in each state in which a process may leave them. */
export function populateState(state: State) {
  let keys = 0
  const call = (
    operation: 'createRun' | 'appendToRun' | 'updateRun' | 'createCheck',
    input: Record<string, unknown>,
  ) => ({
    operation,
    input,
    key: `key-${++keys}`,
  })
  const record = (kind: 'exec' | 'hook' | 'mcp', name: string) => state.record({ name, kind, place, cwd: folder })

  record('exec', 'exec-unsent')
  state.queue('exec-unsent', call('createRun', { title: 'npm test', leaseSeconds: 60 }))
  state.queue('exec-unsent', call('appendToRun', { text: 'one\n' }), call('appendToRun', { text: 'two ✓\n' }))
  state.queue('exec-unsent', call('updateRun', { status: 'completed', labels: { 'exit-code': '0' } }))
  state.update('exec-unsent', { ended: true })

  record('exec', 'exec-begun')
  state.update('exec-begun', { runId: 'RUN-BEGUN', leaseToken: 'token-of-the-run-that-has-begun-already' })
  state.queue('exec-begun', call('appendToRun', { text: 'three\n' }))

  record('exec', 'exec-refused')
  state.queue('exec-refused', call('createCheck', { runId: 'RUN-BEGUN', name: 'tests', result: 'pass' }))
  state.update('exec-refused', { ended: true, refused: "There is no run 'RUN-BEGUN' in project 'shop'." })

  record('mcp', 'mcp-open')
  state.update('mcp-open', { runId: 'RUN-MCP', leaseToken: 'token-of-mcp' })

  const seen = (session: string, step: Parameters<State['note']>[1]['step']) => ({
    agent: 'claude-code',
    session,
    cwd: folder,
    step,
  })
  const hook = (session: string) => ({ name: `claude-${session}`, kind: 'hook' as const, place, cwd: folder })
  state.note(hook('new'), seen('new', { kind: 'prompt', text: 'Fix the login' }), 'n1', true)
  state.note(hook('new'), seen('new', { kind: 'tool', tool: 'Bash', command: 'npm test', exitCode: 1 }), 'n2', false)
  state.note(hook('new'), seen('new', { kind: 'turn' }), 'n3', true)
  state.note(hook('new'), seen('new', { kind: 'end' }), 'n4', true)

  state.note(hook('begun'), seen('begun', { kind: 'prompt', text: 'Write the docs' }), 'b1', true)
  const ids = state.notes('claude-begun').map(({ id }) => id)
  const turn = { prompts: ['Write the docs'], tools: {}, files: [], commands: [] }
  const begin = { ...call('createRun', { title: 'Write the docs', leaseSeconds: 7200 }), key: 'claude-begun' }
  state.settle('claude-begun', ids, [begin], { memo: { begun: true, turn }, ended: false })
  state.note(hook('begun'), seen('begun', { kind: 'turn' }), 'b2', true)
}
