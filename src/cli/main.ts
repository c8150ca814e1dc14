#!/usr/bin/env node

void run(process.argv.slice(2))

/** Loads only what these words need. */
async function run(words: string[]) {
  if (words[0] === '--version' || words[0] === '-V') {
    const [{ version }, { endWithOutput }] = await Promise.all([import('../version.ts'), import('./fail.ts')])
    endWithOutput()
    process.stdout.write(`${version}\n`)
  } else if (words[0] === 'hook' && words.length === 2 && !words[1]?.startsWith('-')) {
    // An agent waits for this command.
    const { observe } = await import('../capture/hook/observe.ts')
    // An agent that does not read the answer must not see a failure.
    process.stdout.on('error', () => {})
    process.stdout.write(await observe(words[1] ?? '', process.stdin, process.env))
  } else if (words[0] === 'recorder' && words.length === 1) {
    const { runResident } = await import('../capture/hook/resident.ts')
    await runResident(process.env)
  } else {
    const { runProgram } = await import('./program.ts')
    await runProgram(words)
  }
}
