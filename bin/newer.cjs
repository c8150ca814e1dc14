// biome-ignore-all lint/style/useNodejsImportProtocol: an old Node.js does not know node:
// Finds a Node.js that is new enough where the PATH has an old one: that of a project with nvm or volta, say. The launcher
// remembers the one that last ran a hook or `conduct init`.
const childProcess = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')

exports.wanted = [24, 15]

exports.isNewEnough = (version) => {
  const found = version.split('.').map(Number)
  return found[0] > exports.wanted[0] || (found[0] === exports.wanted[0] && found[1] >= exports.wanted[1])
}

/** The user's home. With an empty HOME, paths in it would be in the working folder. */
exports.home = () => process.env.HOME || os.homedir() || homeOfAccount()

function homeOfAccount() {
  try {
    return os.userInfo().homedir
  } catch (_) {
    return '/'
  }
}

/** The path of a Node.js that is new enough; undefined where this machine has none in a known place. */
exports.find = (root) => {
  const kept = keptNode()
  // An older one may have been installed in its place since.
  return kept && isGood(kept) ? kept : candidates(root).find(isGood)
}

function isGood(file) {
  try {
    const version = childProcess.execFileSync(file, ['--version'], {
      encoding: 'utf8',
      timeout: 5000,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return exports.isNewEnough(version.trim().replace(/^v/, ''))
  } catch (_) {
    return false
  }
}

/** Where a Node.js may be: of this package, beside it, on the PATH, of version managers, of the system. */
function candidates(root) {
  const home = exports.home()
  const data = process.env.XDG_DATA_HOME || path.join(home, '.local/share')
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const all = [path.join(root, 'node_modules/node/bin/node'), path.join(root, '../../../bin/node')]
    .concat((process.env.PATH || '').split(path.delimiter).map((folder) => path.join(folder, name)))
    .concat(versions(path.join(process.env.NVM_DIR || path.join(home, '.nvm'), 'versions/node'), 'bin/node'))
    .concat(versions(path.join(process.env.VOLTA_HOME || path.join(home, '.volta'), 'tools/image/node'), 'bin/node'))
    .concat(
      versions(path.join(process.env.FNM_DIR || path.join(data, 'fnm'), 'node-versions'), 'installation/bin/node'),
    )
    .concat(versions(path.join(data, 'mise/installs/node'), 'bin/node'))
    .concat(versions(path.join(process.env.ASDF_DATA_DIR || path.join(home, '.asdf'), 'installs/nodejs'), 'bin/node'))
    .concat(['/opt/homebrew/bin/node', '/usr/local/bin/node', '/usr/bin/node'])
  return all.filter((file, index) => path.isAbsolute(file) && all.indexOf(file) === index && fs.existsSync(file))
}

/** The programs of a folder whose subfolders are versions that are new enough, newest first. */
function versions(folder, program) {
  try {
    return fs
      .readdirSync(folder)
      .map((name) => ({ name: name, parts: name.replace(/^v/, '').split('.').map(Number) }))
      .filter((one) => exports.isNewEnough(one.parts.join('.')))
      .sort((a, b) => b.parts[0] - a.parts[0] || b.parts[1] - a.parts[1] || b.parts[2] - a.parts[2])
      .map((one) => path.join(folder, one.name, program))
  } catch (_) {
    return []
  }
}

/** Runs the program again, by that Node.js, in the place of this process or as its only child. */
exports.restart = (node, program) => {
  const args = [program].concat(process.argv.slice(2))
  const env = Object.assign({}, process.env, { CONDUCT_RESTARTED: '1' })
  if (process.execve && process.platform !== 'win32') process.execve(node, [node].concat(args), env)
  // A supervisor that kills this process means the server.
  env.CONDUCT_WRAPPER = String(process.pid)
  const child = childProcess.spawn(node, args, { stdio: 'inherit', env: env })
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']
  // What a terminal sends reaches the child by itself.
  signals.forEach((signal) => {
    process.on(signal, () => {
      if (signal === 'SIGTERM' || !process.stdin.isTTY) child.kill(signal)
    })
  })
  child.on('error', (error) => {
    console.error(`conduct: ${node} could not be started: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (!signal) process.exit(code)
    signals.forEach((one) => {
      process.removeAllListeners(one)
    })
    process.kill(process.pid, signal)
  })
}

/** The folder of the launchers: commands that run the program by the Node.js that can, wherever the PATH leads. */
function launcherFolder() {
  const data = process.env.XDG_DATA_HOME || path.join(exports.home(), '.local/share')
  return path.join(data, 'conduct/bin')
}

/** Keeps the launchers of this program and this Node.js. Without them, or where they cannot be written, hooks search. */
exports.keepLauncher = (program) => {
  if (process.platform === 'win32') return
  try {
    const start = `#!/bin/sh\n# Written by conduct, for the hooks of agents.\nnode=${quoted(process.execPath)}\nprogram=${quoted(program)}\n`
    keep('conduct', `${start}exec "$node" "$program" "$@"\n`)
    keep('conduct-ledger', start + hookLauncher)
  } catch (_) {}
}

const quoted = (text) => `'${text.replace(/'/g, "'\\''")}'`

function keep(name, text) {
  const file = path.join(launcherFolder(), name)
  if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text) return
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${process.pid}`
  fs.writeFileSync(draft, text, { mode: 0o755 })
  fs.renameSync(draft, file)
}

/** What the recording of a hook depends on: src/capture/hook/resident.ts gets these from the launcher. */
exports.variables = [
  'PATH HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME',
  'CONDUCT_API_KEY CONDUCT_DATABASE_URL CONDUCT_PROJECT CONDUCT_URL',
  'CLAUDE_CODE_SESSION_ID COPILOT_CLI COPILOT_HOME GEMINI_SESSION_ID QWEN_CODE_SESSION_ID GIT_COMMITTER_EMAIL',
]
  .join(' ')
  .split(' ')

/**
 * Hands a hook to the resident recorder. Where none answers, or git would get other settings, Node.js takes it. A relative
 * folder of the PATH would be one of the folder in which the agent works.
 */
const hookLauncher = `absolute= rest=$PATH:
while [ -n "$rest" ]; do
  case $rest in /*) absolute=$absolute\${absolute:+:}\${rest%%:*} ;; esac
  rest=\${rest#*:}
done
PATH=\${absolute:-/usr/bin:/bin}
if [ ! -x "$node" ] || [ ! -f "$program" ]; then
  case $PATH in */conduct/bin:*) PATH=\${PATH#*/conduct/bin:} ;; *) exit 127 ;; esac
  command -v conduct-ledger >/dev/null 2>&1 || exit 127
  exec conduct-ledger "$@"
fi
hook() {
  printf '%s\\0' "$program" "$$" ${exports.variables.map((name) => `"${name}=$${name}"`).join(' ')}
  printf %s "$document"
}
socket="\${XDG_STATE_HOME:-$HOME/.local/state}/conduct/recorder.sock"
[ "$1" = hook ] && [ "$2" != cursor ] && [ $# = 2 ] && [ -z "$GIT_DIR$GIT_WORK_TREE$GIT_CONFIG_COUNT$GIT_CONFIG_GLOBAL" ] &&
  command -v curl >/dev/null 2>&1 || exec "$node" "$program" "$@"
document=$(cat)
if [ -S "$socket" ]; then
  hook | curl -qsf --noproxy '*' --max-time 3 --unix-socket "$socket" --data-binary @- "http://localhost/hook/$2" && exit
fi
printf %s "$document" | CONDUCT_LAUNCHED=1 "$node" "$program" "$@"
`

/** The Node.js of the launcher, where both are still there. */
function keptNode() {
  try {
    const line = /^node='(.*)'$/m.exec(fs.readFileSync(path.join(launcherFolder(), 'conduct'), 'utf8'))
    const file = line ? line[1].replace(/'\\''/g, "'") : ''
    return fs.existsSync(file) ? file : undefined
  } catch (_) {
    return undefined
  }
}
