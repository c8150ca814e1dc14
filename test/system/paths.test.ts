import assert from 'node:assert/strict'
import { posix, win32 } from 'node:path'
import { test } from 'node:test'
import { fromTop, ownPath, pathIn, reportedFrom, withSlashes } from '../../src/system/paths.ts'
import type { System } from '../../src/system/system.ts'
import fc from '../support/random.ts'

const systems: System[] = ['posix', 'windows']
const sepOf = { posix: '/', windows: '\\' }

/** Names of files that Windows allows, also odd ones, and more that only POSIX allows. */
const plain = fc.constantFrom('a', 'B', 'src', 'ä', '🙂', '..a', 'a..', '.git', 'a b', "it's", '%PATH%', '$HOME', 'a&b')
const nameFor = {
  posix: fc.oneof(plain, fc.constantFrom('a\\b', 'c:', '"', 'a:b', '\n', '\\\\?\\C:')),
  windows: plain,
}
const namesFor = (system: System, minLength: number) => fc.array(nameFor[system], { minLength, maxLength: 4 })

const starts = { posix: ['/'], windows: ['C:\\', 'd:\\', '\\\\server\\share\\'] }
/** A folder, and names below it. */
const placed = (system: System) =>
  fc.record({
    start: fc.constantFrom(...starts[system]),
    above: namesFor(system, 1),
    names: namesFor(system, 1),
  })

const folderOf = (system: System, start: string, names: string[]) => start + names.join(sepOf[system])

for (const system of systems) {
  test(`a file in a folder is the way to it, with slashes, on ${system}`, () => {
    fc.assert(
      fc.property(placed(system), ({ start, above, names }) => {
        const top = folderOf(system, start, above)
        const file = folderOf(system, start, [...above, ...names])
        assert.equal(pathIn(top, file, system), names.join(sepOf[system]))
        assert.equal(fromTop(top, file, system), names.join('/'))
        assert.equal(pathIn(top, top, system), '')
      }),
    )
  })

  test(`a file beside or above a folder is outside, and keeps its whole path, on ${system}`, () => {
    fc.assert(
      fc.property(placed(system), fc.boolean(), ({ start, above, names }, isBeside) => {
        const top = folderOf(system, start, [...above, ...names])
        const last = names.at(-1) as string
        const outside = isBeside ? [...above, ...names.slice(0, -1), `${last}x`, 'a'] : above
        const file = folderOf(system, start, outside)
        assert.equal(pathIn(top, file, system), undefined)
        assert.equal(fromTop(top, file, system), withSlashes(file, system))
      }),
    )
  })

  test(`no path leaves its folder by "..", on ${system}`, () => {
    fc.assert(
      fc.property(placed(system), namesFor(system, 0), fc.nat(8), ({ start, above }, names, up) => {
        const top = folderOf(system, start, above)
        const file = `${top}${`${sepOf[system]}..`.repeat(up)}${sepOf[system]}${names.join(sepOf[system])}`
        const way = pathIn(top, file, system)
        assert.ok(way === undefined || way.split(sepOf[system])[0] !== '..')
        assert.ok(!fromTop(top, file, system).startsWith('../'))
      }),
    )
  })
}

/** Ways to write the same path on Windows. */
const spellings: Record<string, (path: string) => string> = {
  'with slashes': (path) => path.replaceAll('\\', '/'),
  'with mixed slashes': (path) => path.replace(/\\(?=[^\\]*$)/, '/'),
  'with another case of the drive': (path) => path.replace(/^[a-z]:/i, (drive) => otherCase(drive)),
  'as a long path': (path) => (path.startsWith('\\\\') ? `\\\\?\\UNC${path.slice(1)}` : `\\\\?\\${path}`),
  'as Git Bash does': (path) =>
    path.replaceAll('\\', '/').replace(/^([a-z]):/i, (_, drive) => `/${drive.toLowerCase()}`),
}
const otherCase = (text: string) => (text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase())

for (const [how, spelt] of Object.entries(spellings)) {
  test(`Windows finds a file in its folder, whichever of the two is written ${how}`, () => {
    fc.assert(
      fc.property(placed('windows'), fc.boolean(), fc.boolean(), ({ start, above, names }, folder, path) => {
        const top = folderOf('windows', start, above)
        const file = folderOf('windows', start, [...above, ...names])
        const found = fromTop(folder ? spelt(top) : top, path ? spelt(file) : file, 'windows')
        assert.equal(found, names.join('/'))
      }),
    )
  })
}

test('Windows does not tell the case of a folder, and the ledger keeps that of the file', () => {
  assert.equal(fromTop('C:\\Work\\Shop', 'c:\\work\\SHOP\\src\\A.ts', 'windows'), 'src/A.ts')
  assert.equal(fromTop('/Work/Shop', '/work/shop/a.ts', 'posix'), '/work/shop/a.ts')
})

test('a path of Git Bash is one of a drive, and no other path changes', () => {
  assert.equal(ownPath('/c/work/a.ts', 'windows'), 'C:/work/a.ts')
  assert.equal(ownPath('/c', 'windows'), 'C:/')
  for (const path of ['/code/a.ts', 'a/b', '//server/share', '/c:/x', '..', ''])
    assert.equal(ownPath(path, 'windows'), path)
  for (const path of ['/c/work', '\\\\?\\C:\\a']) assert.equal(ownPath(path, 'posix'), path)
})

test('of another machine, the folder of the session tells how it writes paths', () => {
  fc.assert(
    fc.property(fc.constantFrom(...systems), namesFor('windows', 1), (system, names) => {
      const folder = { posix: '/home/me/shop', windows: 'C:\\Users\\me\\shop' }[system]
      const paths = { posix, windows: win32 }[system]
      assert.equal(reportedFrom(folder, paths.join(folder, ...names)), names.join('/'))
      assert.equal(reportedFrom(folder, names.join(sepOf[system])), names.join('/'))
    }),
  )
  assert.equal(reportedFrom('C:\\shop', 'D:\\other\\a.ts'), 'D:/other/a.ts')
  assert.equal(reportedFrom('/shop', '/other/a.ts'), '/other/a.ts')
  assert.equal(reportedFrom('', '/other/a.ts'), '/other/a.ts')
})
