import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../../src/', import.meta.url))

/** All code that runs by Node.js, outside the one house that may know on which system it runs. */
const code = globSync('**/*.ts', { cwd: source, exclude: ['system/**', 'web/**'] })

/** Whose text is no code of ours. */
const others = ['recorder/agents/opencode/plugin.ts']

/** What Windows does not have or understands otherwise, each with an example. */
const posixOnly: [what: RegExp, example: string][] = [
  [/process\.(?:platform|get\w+id|set\w+id|umask|execve)\b/, "process.platform === 'win32'"],
  [/\b[lf]?ch(?:mod|own)(?:Sync)?\(/, 'chmodSync(path, 0o600)'],
  [/\bsymlink(?:Sync)?\(/, 'symlinkSync(target, path)'],
  [/\bmode\)?\s*&\s*0o/, '(stat.mode & 0o077) !== 0'],
  [/\bfsync(?:Sync)?\(/, 'fsyncSync(folder)'],
  [/['"`]SIG(?:HUP|QUIT|USR\d|TSTP|CONT|WINCH)\b/, "process.on('SIGHUP', end)"],
  [/\bkill\(-/, "process.kill(-pid, 'SIGKILL')"],
  [/\bdetached:/, "spawn(program, { detached: true, stdio: 'ignore' })"],
  [/['"`]\/(?:bin\/\w*sh|dev\/shm|dev\/std|etc|proc|tmp|usr|var)\b/, "readFileSync('/proc/self/stat')"],
  [/\b(?:spawn|exec)\w*\(\s*['"`](?:bash|sh|ps|kill|mkfifo|which)\b/, "execFileSync('ps', words)"],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is code
  [/startsWith\(`\$\{(?:cwd|folder|home|root|top)\}\/`\)/, 'path.startsWith(`${folder}/`)'],
  [/\.sock\b/, "join(folder, 'recorder.sock')"],
]

test('the patterns match what they are for', () => {
  for (const [pattern, example] of posixOnly) assert.match(example, pattern)
})

test('only the house of the system has calls that Windows lacks', () => {
  const found = code
    .filter((file) => !others.includes(file.replaceAll('\\', '/')))
    .flatMap((file) =>
      readFileSync(join(source, file), 'utf8')
        .split('\n')
        .filter((line) => posixOnly.some(([pattern]) => pattern.test(line)))
        .map((line) => `${file}: ${line.trim()}`),
    )
  assert.deepEqual(found, [], 'put it into src/system/, with what Windows does instead')
})
