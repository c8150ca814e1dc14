#!/usr/bin/env node
// biome-ignore-all lint/style/useNodejsImportProtocol: an old Node.js does not know node:
// Plain JavaScript that every Node.js can read, so that an old one can start a newer one, or say that it is too old.
const fs = require('fs')
const path = require('path')
const newer = require('./newer.cjs')
const root = path.join(__dirname, '..')
const main = path.join(root, 'dist/cli/main.js')
const word = process.argv[2]
const isRestarted = 'CONDUCT_RESTARTED' in process.env
delete process.env.CONDUCT_RESTARTED

if (!newer.isNewEnough(process.versions.node)) {
  const found = isRestarted ? undefined : newer.find(root)
  if (found) newer.restart(found, __filename)
  else tooOld()
} else if (!fs.existsSync(main)) notBuilt()
else start()

function tooOld() {
  const needs = `conduct needs Node.js ${newer.wanted.join('.')} or newer, whose SQLite is safe in WAL mode; this is ${process.version}.`
  if (word === 'hook') require('./missed.cjs').keep(`Node.js ${process.version} is too old, and no newer one was found`)
  else if (word === 'doctor') require('./missed.cjs').doctor(needs)
  else {
    console.error(needs)
    if (fs.existsSync(path.join(root, 'src')))
      console.error('In this checkout, npm run conduct uses a Node.js that is new enough.')
    process.exitCode = 1
  }
}

function notBuilt() {
  if (word === 'hook') return require('./missed.cjs').keep(`conduct is not built in ${root}`)
  const before = fs.existsSync(path.join(root, 'node_modules')) ? '' : 'npm install && '
  console.error(
    `conduct is not built. In ${root} run: ${before}npm run build\nTo serve without a build: ${before}npm start`,
  )
  process.exitCode = 1
}

function start() {
  if (word === 'serve') require('./frugal.cjs').restart(process.argv.slice(1))
  endWithWrapper()
  if (word === 'hook' || word === 'init') newer.keepLauncher(__filename)
  try {
    keepCompiled()
  } catch (_) {}
  require(main)
}

// An old Node.js that cannot be replaced waits for this process. A signal that it cannot pass on ends it alone.
function endWithWrapper() {
  const wrapper = Number(process.env.CONDUCT_WRAPPER)
  delete process.env.CONDUCT_WRAPPER
  if (word !== 'serve' || !wrapper) return
  setInterval(() => {
    if (process.ppid !== wrapper) process.kill(process.pid, 'SIGTERM')
  }, 1000).unref()
}

// Code once compiled is kept in a folder of the user's own, which spares later starts the work. One that others may write to
// is not used: they could have this process run their code. Where there can be none, each start compiles anew.
function keepCompiled() {
  const folder = path.join(process.env.XDG_CACHE_HOME || path.join(newer.home(), '.cache'), 'conduct')
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  const made = fs.statSync(folder)
  if (process.getuid && (made.uid !== process.getuid() || (made.mode & 0o022) !== 0)) return
  require('node:module').enableCompileCache(folder)
}
