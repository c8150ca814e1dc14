import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forgeOf } from '../../src/web/data/runs/forge.ts'

const github = 'https://github.com/acme/shop'

test('a remote in any form gives the address of the repository on the web, without user names and passwords', () => {
  const remotes: [remote: string, home: string][] = [
    ['git@github.com:acme/shop.git', github],
    ['github.com:acme/shop', github],
    ['ssh://git@github.com/acme/shop.git', github],
    ['ssh://git@github.com:22/acme/shop.git', github],
    ['https://github.com/acme/shop.git/', github],
    ['https://ada:secret@github.com/acme/shop', github],
    ['https://gitlab.com/acme/tools/shop.git', 'https://gitlab.com/acme/tools/shop'],
    ['git@gitlab.example.com:acme/shop.git', 'https://gitlab.example.com/acme/shop'],
    ['http://gitea.local:3000/acme/shop.git', 'http://gitea.local:3000/acme/shop'],
    ['git@codeberg.org:acme/shop.git', 'https://codeberg.org/acme/shop'],
    ['git@bitbucket.org:acme/shop.git', 'https://bitbucket.org/acme/shop'],
  ]
  for (const [remote, home] of remotes) assert.equal(forgeOf(remote)?.home, home, remote)
})

test('a remote on another host, or none, has no addresses', () => {
  const others = [
    undefined,
    '',
    '/srv/git/shop.git',
    'file:///srv/git/shop.git',
    'C:\\git\\shop',
    'git@github.com-work:acme/shop.git',
    'https://git.example.com/acme/shop',
    'https://notgithub.com/acme/shop',
    'https://github.com/acme',
    'https://bitbucket.example.com/scm/acme/shop.git',
    'javascript://github.com/%0aalert(1)//acme/shop',
    'https://constructor/acme/shop',
    'https://__proto__/acme/shop',
    'git@constructor.example.com:acme/shop.git',
  ]
  for (const remote of others) assert.equal(forgeOf(remote), undefined, remote)
})

test('each host has its own addresses for commits, branches and comparisons', () => {
  const told = (host: string) => {
    const forge = forgeOf(`https://${host}/a/b`)
    return [forge?.commit('1234567'), forge?.branch('fix/a b'), forge?.compare('1111111', '2222222')].map((address) =>
      address?.replace(`https://${host}/a/b`, ''),
    )
  }
  assert.deepEqual(told('github.com'), ['/commit/1234567', '/tree/fix/a%20b', '/compare/1111111...2222222'])
  assert.deepEqual(told('gitlab.com'), ['/-/commit/1234567', '/-/tree/fix/a%20b', '/-/compare/1111111...2222222'])
  assert.deepEqual(told('codeberg.org'), ['/commit/1234567', '/src/branch/fix/a%20b', '/compare/1111111...2222222'])
  assert.deepEqual(told('bitbucket.org'), [
    '/commits/1234567',
    '/branch/fix/a%20b',
    '/branches/compare/2222222%0D1111111',
  ])
})
