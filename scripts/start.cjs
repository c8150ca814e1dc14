// `npm start`: serves from source, with the settings of the installed program, as long as its shell runs.
const path = require('node:path')
const main = path.join(__dirname, '../src/cli/main.ts')
const withParent = path.join(__dirname, 'with-parent.cjs')
const words = ['serve'].concat(process.argv.slice(2))
require('../bin/frugal.cjs').restart(['--require', withParent, main].concat(words))
// Where the process could not be replaced.
require(withParent)
process.argv = [process.execPath, main].concat(words)
import('../src/cli/main.ts')
