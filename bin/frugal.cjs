const v8 = require('node:v8')

// By default V8 lets the heap of a busy server grow until most of it is garbage, and glibc keeps what each thread has
// freed. The first of these flags lets the heap grow by half between two collections, and the second has V8 start one
// when a quarter of the room is used: they come twice as often, and the peak is lower by 5 to 10 MB.
//
// The threads of Maglev, V8's middle compiler, ask for memory while a server warms up, most of which stays; TurboFan
// compiles the busy functions all the same. At the same load, V8 reported a peak_malloced_memory of 29 MB with Maglev and
// of 5 MB without.
//
// Pretenuring puts new objects into the old generation if earlier ones from the same place in the code have outlived a
// scavenge. Those of a request do, since the requests of a turn go on together, and are garbage soon after. In two of
// five runs, V8 decided that of lists, and collected the old generation twice a second instead of once in six seconds.
//
// These flags can be set at any time, the rest only at the start of a process.
const anyTime = [
  '--heap-growing-percent=50',
  '--incremental-marking-hard-trigger=25',
  '--no-maglev',
  '--no-allocation-site-pretenuring',
]
// From a smaller young generation, more objects move to the old one: with 4 MB, the peak is higher by 6 MB.
const wanted = '--max-semi-space-size=8'
const malloc = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072' }

const nameOf = (flag) => flag.replace(/^--(no-)?/, '').split('=')[0]

/**
 * Starts `node <args>` with these settings in the place of this process. Returns where they are in force already, and on
 * Windows, where a process cannot be replaced. A flag that this Node.js does not know is left out.
 */
exports.restart = (args) => {
  const given = process.execArgv.concat(process.env.NODE_OPTIONS || '').join(' ')
  for (const flag of anyTime) if (!given.includes(nameOf(flag))) v8.setFlagsFromString(flag)
  const isKnown = process.allowedNodeEnvironmentFlags.has(wanted.split('=')[0])
  const flags = isKnown && !given.includes(nameOf(wanted)) ? [wanted] : []
  const isSet = Object.keys(malloc).every((variable) => variable in process.env)
  if (process.platform === 'win32' || (flags.length === 0 && isSet)) return
  const all = [process.execPath].concat(flags, process.execArgv, args)
  process.execve(process.execPath, all, Object.assign({}, malloc, process.env))
}
