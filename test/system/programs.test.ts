import assert from 'node:assert/strict'
import { win32 } from 'node:path'
import { test } from 'node:test'
import { findProgram, startOf, variableOf, withAbsolutePath } from '../../src/system/programs.ts'
import fc from '../support/random.ts'
import { argumentsIn, readByCmd, variablesIn } from './shells.ts'

const env = {
  Path: 'C:\\Program Files\\nodejs;C:\\Users\\me\\AppData\\Roaming\\npm;.\\bin;C:\\Git\\cmd',
  PATHEXT: '.COM;.EXE;.BAT;.CMD',
  ComSpec: 'C:\\Windows\\system32\\cmd.exe',
}
const files = [
  'C:\\Program Files\\nodejs\\node.exe',
  'C:\\Program Files\\nodejs\\npm',
  'C:\\Program Files\\nodejs\\npm.cmd',
  'C:\\Users\\me\\AppData\\Roaming\\npm\\conduct-ledger',
  'C:\\Users\\me\\AppData\\Roaming\\npm\\conduct-ledger.cmd',
  '.\\bin\\git.exe',
  'C:\\Git\\cmd\\git.exe',
]
const isThere = (path: string) => files.some((file) => file.toLowerCase() === path.toLowerCase())
const startOn = (...words: string[]) => startOf(words, env, 'windows', isThere)

test('Windows finds a program by its endings, and never in a relative folder', () => {
  const find = (program: string) => findProgram(program, env, 'windows', isThere)
  assert.equal(find('npm'), 'C:\\Program Files\\nodejs\\npm.cmd')
  assert.equal(find('NODE.EXE'), 'C:\\Program Files\\nodejs\\NODE.EXE')
  assert.equal(find('git'), 'C:\\Git\\cmd\\git.exe')
  assert.equal(find('conduct-ledger'), 'C:\\Users\\me\\AppData\\Roaming\\npm\\conduct-ledger.cmd')
  assert.equal(find('claude'), undefined)
})

test('POSIX finds a program by its name, in absolute folders', () => {
  const find = (PATH: string) => findProgram('npm', { PATH, PATHEXT: '.CMD' }, 'posix', () => true)
  assert.equal(find('bin:/usr/bin:/bin'), '/usr/bin/npm')
  assert.equal(find('bin'), undefined)
})

test('a copy of an environment has one PATH, of absolute folders', () => {
  const copy = withAbsolutePath(env, 'windows')
  assert.deepEqual(Object.keys(copy).sort(), ['ComSpec', 'PATH', 'PATHEXT'])
  assert.equal(copy.PATH, env.Path.replace('.\\bin;', ''))
  assert.deepEqual(withAbsolutePath({ PATH: 'bin:/bin:', Path: 'x' }, 'posix'), { PATH: '/bin', Path: 'x' })
  assert.deepEqual(withAbsolutePath({ HOME: '/' }, 'posix'), { HOME: '/' })
  assert.equal(variableOf(env, 'PATH', 'posix'), undefined)
})

test('a program starts by its path, a batch file by cmd.exe, and POSIX looks for itself', () => {
  assert.deepEqual(startOn('node', '--version'), { file: files[0], args: ['--version'], options: {} })
  const { file, args, options } = startOn('npm', 'test')
  assert.equal(file, env.ComSpec)
  assert.deepEqual(args, ['/d', '/s', '/c', '"C:\\Program^ Files\\nodejs\\npm.cmd test"'])
  assert.deepEqual(options, { windowsVerbatimArguments: true })
  assert.deepEqual(startOf(['npm', 'a b'], env, 'posix'), { file: 'npm', args: ['a b'], options: {} })
})

test('a program that a path names starts by its whole path', () => {
  const { file } = startOf(['.\\tools\\build.exe'], env, 'windows', () => true)
  assert.ok(win32.isAbsolute(file) && file.endsWith('\\tools\\build.exe'), file)
})

test('a program that the PATH does not have is not taken from the current folder', () => {
  const isEverywhere = (path: string) => !path.includes('\\')
  assert.throws(() => startOf(['git'], env, 'windows', isEverywhere), { code: 'ENOENT' })
})

test('the reader of arguments reads as the C runtime', () => {
  assert.deepEqual(argumentsIn(String.raw`a "b c" d\e f\\"g" "h\"i" "" "j\\"`), [
    'a',
    'b c',
    'd\\e',
    'f\\g',
    'h"i',
    '',
    'j\\',
  ])
})

const anyText = fc.string({ unit: fc.constantFrom(...'aB1-./\\:= "\'^%!&|<>()$`,;*?[]{}~@+ä'), maxLength: 12 })

test('a batch file passes on every argument as it was given', () => {
  fc.assert(
    fc.property(fc.array(anyText, { maxLength: 4 }), (given) => {
      const whole = startOn('conduct-ledger', ...given).args.at(-1) ?? ''
      // /s takes exactly the first and the last quote away.
      const line = whole.slice(1, -1)
      assert.deepEqual(variablesIn(line), [])
      const [, ...first] = readByCmd(line).split(/(?<=\.cmd)/)
      // The batch file has a line with %* in place of its arguments, which is read again.
      const passedOn = first.join('')
      assert.deepEqual(argumentsIn(readByCmd(passedOn)), given)
    }),
    { numRuns: 2_000 },
  )
})

test('an argument with a line break, which cmd.exe cannot pass on, is refused', () => {
  for (const text of ['a\nb', 'a\r', '\0']) assert.throws(() => startOn('npm', text), /line break/)
  assert.deepEqual(startOn('node', 'a\nb').args, ['a\nb'])
})
