// `npm start`: serves from source, with the settings of the installed program.
const path = require('node:path')
const main = path.join(__dirname, '../src/cli/main.ts')
const words = ['serve'].concat(process.argv.slice(2))
require('../bin/frugal.cjs').restart([main].concat(words))
// Where the process could not be replaced.
process.argv = [process.execPath, main].concat(words)
import('../src/cli/main.ts')
