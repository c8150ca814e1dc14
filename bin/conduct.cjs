#!/usr/bin/env node
// Plain JavaScript that every Node.js can read, so that an old one can say that it is too old.
var wanted = [24, 15]
var found = process.versions.node.split('.').map(Number)
if (found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1])) {
  console.error(
    `conduct needs Node.js ${wanted.join('.')} or newer, whose SQLite is safe in WAL mode; this is ${process.version}.`,
  )
  process.exit(1)
}

// A busy server lets V8's heap grow, by default until garbage is most of the memory in use. V8 takes other ways only at
// the start of a process, so `serve` takes this process over with them. Windows cannot do that, and does without.
var frugal = ['--max-semi-space-size=8', '--heap-growing-percent=50']
var isLimited = process.execArgv
  .concat(process.env.NODE_OPTIONS || '')
  .join(' ')
  .includes('max-semi-space-size')
if (process.argv[2] === 'serve' && process.platform !== 'win32' && !isLimited) {
  process.execve(
    process.execPath,
    [process.execPath].concat(frugal, process.execArgv, process.argv.slice(1)),
    process.env,
  )
}

// Code once compiled is kept in a folder of the user's own, which spares later starts the work. One that others may write to
// is not used: they could have this process run their code. Where there can be none, each start compiles anew.
function keepCompiled() {
  var fs = require('node:fs')
  var path = require('node:path')
  var folder = path.join(process.env.XDG_CACHE_HOME || path.join(require('node:os').homedir(), '.cache'), 'conduct')
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  var made = fs.statSync(folder)
  if (process.getuid && (made.uid !== process.getuid() || (made.mode & 0o022) !== 0)) return
  require('node:module').enableCompileCache(folder)
}
try {
  keepCompiled()
} catch (_) {}
require('../dist/cli/main.js')
