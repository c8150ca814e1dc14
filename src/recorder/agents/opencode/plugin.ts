/**
 * The plugin that `conduct init` writes for OpenCode, which has no command hooks. It passes what OpenCode reports to
 * `conduct hook opencode`, one document after another. Only a command waits for it, so that its hook sees the working
 * tree before it runs. `hooks.ts` reads the documents.
 */
export const openCodePlugin = `// Written by \`conduct init\`: records the sessions of OpenCode in the ledger, by \`conduct hook opencode\`.
import { spawn, spawnSync } from 'node:child_process'

const { PATH, HOME, XDG_DATA_HOME, ComSpec } = process.env
// On Windows, npm writes a batch file. cmd.exe runs it, and must not look for it in the project.
const [command, env] =
  process.platform === 'win32'
    ? [[ComSpec || 'cmd.exe', ['/d', '/s', '/c', 'conduct-ledger.cmd hook opencode']], { ...process.env, NoDefaultCurrentDirectoryInExePath: '1' }]
    : [['conduct-ledger', ['hook', 'opencode']], { ...process.env, PATH: (XDG_DATA_HOME || HOME + '/.local/share') + '/conduct/bin:' + PATH }]

export const Conduct = async ({ directory }) => {
  const waiting = []
  const sessions = new Map()
  const told = new Set()
  let running
  let isMissing = false

  const run = () => {
    if (running || isMissing || waiting.length === 0) return
    running = waiting.shift()
    const { document, done } = running
    const child = spawn(...command, { cwd: directory, env, windowsHide: true, stdio: ['pipe', 'ignore', 'ignore'] })
    child.on('error', () => {
      isMissing = true
      for (const one of [{ done }, ...waiting]) one.done()
    })
    child.on('close', () => {
      running = undefined
      done()
      run()
    })
    child.stdin.on('error', () => {})
    child.stdin.end(JSON.stringify(document))
  }

  // What is still waiting when OpenCode ends, and the end itself.
  const end = () => {
    for (const [session, { parent, prompted, prompt, steps, error, model }] of sessions) {
      if (parent !== undefined || !prompted) continue
      const head = { agent: 'opencode', session, cwd: directory }
      // A turn that is not over yet is broken off.
      const aborted = { name: 'MessageAbortedError' }
      if (prompt !== undefined) waiting.push({ document: { ...head, event: 'turn', id: prompt, steps, error: error ?? aborted, model } })
      waiting.push({ document: { ...head, event: 'end' } })
    }
    sessions.clear()
    // The document under way may arrive last, so the plugin sends it once more. The recorder drops the second one.
    for (const { document } of isMissing ? [] : [...(running ? [running] : []), ...waiting.splice(0)]) {
      const input = JSON.stringify(document)
      const options = { cwd: directory, env, input, windowsHide: true, timeout: 10_000 }
      spawnSync(...command, { ...options, stdio: ['pipe', 'ignore', 'ignore'] })
    }
  }
  process.once('exit', end)
  // A signal that nobody else handles ends the process without an exit.
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      if (process.listenerCount(signal) > 0) return
      end()
      process.kill(process.pid, signal)
    })
  }

  const sessionOf = (id) => {
    if (!sessions.has(id)) sessions.set(id, { texts: new Map() })
    return sessions.get(id)
  }
  const rootOf = (id) => {
    const { parent } = sessionOf(id)
    return parent === undefined ? id : rootOf(parent)
  }
  const tell = (event, id, fields) => {
    const { parent, name } = sessionOf(id)
    const subagent = parent === undefined ? undefined : { id, name }
    const document = { agent: 'opencode', event, session: rootOf(id), cwd: directory, subagent, ...fields }
    if (isMissing) return Promise.resolve()
    return new Promise((done) => {
      waiting.push({ document, done })
      run()
    })
  }
  const once = (key) => !told.has(key) && told.add(key)

  const partUpdated = ({ part }) => {
    const { sessionID, messageID, callID, tool, state } = part
    const session = sessionOf(sessionID)
    // Before its first prompt, a fork gets copies of what the other session did.
    if (session.parent === undefined && !session.prompted) return
    if (part.type === 'text' && !part.synthetic) session.texts.set(part.id, [messageID, part.text])
    if (part.type === 'step-finish' && once(part.id)) {
      const root = sessionOf(rootOf(sessionID))
      root.steps = [...(root.steps ?? []), { tokens: part.tokens, cost: part.cost }]
    }
    if (part.type !== 'tool') return
    const ended = state.status === 'completed' || state.status === 'error'
    if (state.status === 'running' && once('begin ' + callID)) tell('begin', sessionID, { id: callID, tool, input: state.input })
    if (ended && once('tool ' + callID)) {
      const { input, time, error, metadata } = state
      tell('tool', sessionID, { id: callID, tool, input, exit: metadata?.exit, time, error })
    }
  }

  const idle = ({ sessionID }) => {
    const session = sessionOf(sessionID)
    const { answers, steps, error, model, prompt } = session
    if (session.parent !== undefined) {
      tell('subagent', sessionID, {})
      return
    }
    const texts = [...session.texts.values()].filter(([message]) => message === answers)
    const answer = texts.map(([, text]) => text).join('\\n')
    if (prompt !== undefined) tell('turn', sessionID, { id: prompt, answer, steps, error, model })
    Object.assign(session, { steps: [], error: undefined, prompt: undefined, texts: new Map() })
  }

  const events = {
    'session.created': ({ sessionID, info }) => {
      Object.assign(sessionOf(sessionID ?? info.id), { parent: info.parentID, version: info.version })
      if (info.parentID === undefined) tell('start', info.id, {})
    },
    'message.updated': ({ info }) => {
      if (info.role === 'assistant') sessionOf(info.sessionID).answers = info.id
    },
    'message.part.updated': partUpdated,
    'permission.asked': ({ sessionID, permission, patterns }) => tell('wait', sessionID, { tool: permission, patterns }),
    'permission.replied': ({ sessionID }) => tell('resume', sessionID, {}),
    'session.compacted': ({ sessionID }) => tell('compact', sessionID, {}),
    'session.error': ({ sessionID, error }) => {
      if (sessionID !== undefined) sessionOf(sessionID).error = error
    },
    'session.idle': idle,
  }

  return {
    event: async ({ event }) => {
      events[event.type]?.(event.properties)
    },
    'tool.execute.before': async ({ tool, sessionID, callID }, { args }) => {
      if (tool === 'bash' && once('begin ' + callID)) await tell('begin', sessionID, { id: callID, tool, input: args })
    },
    'chat.message': async (input, { message, parts }) => {
      const session = sessionOf(input.sessionID)
      session.name = message.agent
      session.model = message.model?.modelID
      if (session.parent !== undefined) return
      const text = parts.flatMap((part) => (part.type === 'text' && !part.synthetic ? [part.text] : [])).join('\\n')
      Object.assign(session, { prompted: true, prompt: message.id, error: undefined })
      tell('prompt', input.sessionID, { id: message.id, text, model: session.model, version: session.version })
    },
  }
}
`
