#!/usr/bin/env node
// Plain JavaScript that every Node.js can read, so that an old one can say that it is too old.
// biome-ignore lint/style/useNodejsImportProtocol: an old Node.js does not know node:
var fs = require('fs')
// biome-ignore lint/style/useNodejsImportProtocol: an old Node.js does not know node:
var path = require('path')
var root = path.join(__dirname, '..')
var wanted = [24, 15]
var found = process.versions.node.split('.').map(Number)
if (found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1])) {
  console.error(
    `conduct needs Node.js ${wanted.join('.')} or newer, whose SQLite is safe in WAL mode; this is ${process.version}.`,
  )
  if (fs.existsSync(path.join(root, 'src')))
    console.error('npm run conduct, in this checkout, brings such a Node.js along.')
  process.exit(1)
}

var main = path.join(root, 'dist/cli/main.js')
var before = fs.existsSync(path.join(root, 'node_modules')) ? '' : 'npm install && '
if (!fs.existsSync(main)) {
  console.error(
    `conduct is not built. In ${root} run: ${before}npm run build\nTo serve without a build: ${before}npm start`,
  )
  process.exit(1)
}

if (process.argv[2] === 'serve') require('./frugal.cjs').restart(process.argv.slice(1))

// Code once compiled is kept in a folder of the user's own, which spares later starts the work. One that others may write to
// is not used: they could have this process run their code. Where there can be none, each start compiles anew.
function keepCompiled() {
  var folder = path.join(process.env.XDG_CACHE_HOME || path.join(require('node:os').homedir(), '.cache'), 'conduct')
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  var made = fs.statSync(folder)
  if (process.getuid && (made.uid !== process.getuid() || (made.mode & 0o022) !== 0)) return
  require('node:module').enableCompileCache(folder)
}
try {
  keepCompiled()
} catch (_) {}
require(main)
