import { Command } from 'commander'
import { routes } from '../../api/routes.ts'
import { markerOf, slice } from '../../ledger/content.ts'
import { mask } from '../../mask/mask.ts'
import { addExamples, addPlace } from '../option.ts'
import { type PlaceOptions, placeOf } from '../place/connect.ts'
import { git } from '../place/git.ts'
import { commandLine } from '../show/shell.ts'
import { runChild } from './child.ts'
import { refuseFaults } from './faults.ts'
import { newestOf } from './line.ts'
import { createOutput } from './output.ts'
import { createRecorder, createSay } from './recorder.ts'

interface CheckOptions extends PlaceOptions {
  name: string
  agent?: string
}

/** The most characters that a check keeps of the output. */
const tailLength = 131_072

const say = createSay('conduct check exec')

/** `conduct check exec`: runs a command and records it as a check of a run. */
export function checkExecCommand(): Command {
  const command = new Command('exec')
    .description('Run a command, and record it as a check: exit code 0 passes')
    .usage('[options] <run-id> -- <command...>')
    .argument('<run-id>', 'the run that is checked')
    .argument('<command...>', 'the command and its arguments')
    .option('--name <name>', 'what is checked; of each name the newest check counts', 'check')
    .option('--agent <name>', 'who checks')
    .addHelpText('after', '\nEnds as the command does.')
    .action(async (runId: string, words: string[], options: CheckOptions) => {
      process.exitCode = await checkExec(runId, words, options, command)
    })
  addPlace(command)
  return addExamples(command, ['conduct check exec RUN-001 --name tests -- npm test'])
}

/** Runs the command and answers what to exit with. Throws where there can be no such check, before anything is run. */
async function checkExec(runId: string, words: string[], options: CheckOptions, exec: Command): Promise<number> {
  const { name, agent } = options
  const cwd = process.cwd()
  const place = placeOf(options, process.env, cwd)
  const command = slice(await mask(commandLine(words)), 0, 4000)
  const check = { name, agent, command, commit: git(cwd, 'rev-parse', '--verify', '--quiet', 'HEAD') }
  refuseFaults(exec, routes.createCheck.input, { ...check, runId, result: 'pass' })

  const tail = createTail()
  const output = createOutput({ isFull: () => false, put: tail.put })
  const { exitCode, durationMs, fault } = await runChild(words, { env: process.env, onOutput: output.write })
  process.exitCode = exitCode
  if (fault) say(fault)
  await output.end()
  const input = {
    ...check,
    result: exitCode === 0 ? 'pass' : 'fail',
    exitCode,
    durationMs,
    content: fault ?? tail.text(),
  }
  try {
    const recorder = createRecorder({ place, cwd, env: process.env, runId, say })
    await recorder.end({ operation: 'createCheck', input })
  } catch (error) {
    say(`The check is lost: ${(error as Error).message}.`)
  }
  return exitCode
}

/** The newest of a text that grows. */
function createTail() {
  let newest = ''
  let dropped = 0
  return {
    put(text: string) {
      const kept = newestOf(newest + text, tailLength)
      newest = kept.newest
      dropped += kept.bytes
    },
    text: () => (dropped > 0 ? markerOf(dropped).trimStart() : '') + newest,
  }
}
