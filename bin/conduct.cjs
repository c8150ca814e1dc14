#!/usr/bin/env node
// Plain JavaScript that every Node.js can read, so that an old one can say that it is too old.
var wanted = [24, 15]
var found = process.versions.node.split('.').map(Number)
if (found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1])) {
  console.error(
    'conduct needs Node.js ' +
      wanted.join('.') +
      ' or newer, whose SQLite is safe in WAL mode; this is ' +
      process.version +
      '.',
  )
  process.exit(1)
}
require('../dist/cli/main.js')
