/** The web addresses of a repository at its host. Commit ids are hexadecimal; branch names can be anything. */
export interface Forge {
  home: string
  commit(id: string): string
  branch(name: string): string
  /** The comparison of a commit with a later one. */
  compare(base: string, head: string): string
}

type Form = (home: string) => Omit<Forge, 'home'>

/** A name as part of a path. It keeps its slashes. */
const inPath = (name: string) => name.split('/').map(encodeURIComponent).join('/')

const github: Form = (home) => ({
  commit: (id) => `${home}/commit/${id}`,
  branch: (name) => `${home}/tree/${inPath(name)}`,
  compare: (base, head) => `${home}/compare/${base}...${head}`,
})

const gitlab: Form = (home) => ({
  commit: (id) => `${home}/-/commit/${id}`,
  branch: (name) => `${home}/-/tree/${inPath(name)}`,
  compare: (base, head) => `${home}/-/compare/${base}...${head}`,
})

const gitea: Form = (home) => ({ ...github(home), branch: (name) => `${home}/src/branch/${inPath(name)}` })

const bitbucket: Form = (home) => ({
  commit: (id) => `${home}/commits/${id}`,
  branch: (name) => `${home}/branch/${inPath(name)}`,
  // The later commit comes first, with an encoded carriage return between them.
  compare: (base, head) => `${home}/branches/compare/${head}%0D${base}`,
})

const hosts = new Map([
  ['github.com', github],
  ['gitlab.com', gitlab],
  ['codeberg.org', gitea],
  ['gitea.com', gitea],
  ['bitbucket.org', bitbucket],
])

/**
 * Self-hosted servers are recognised by the first label of their name: `gitlab.example.com`. A self-hosted Bitbucket
 * has other addresses.
 */
const owned = new Map(Object.entries({ github, gitlab, gitea, forgejo: gitea }))

/** The host of a repository, from the address of its remote; undefined for unknown hosts. */
export function forgeOf(remote: string | undefined): Forge | undefined {
  const url = remote === undefined ? undefined : urlOf(remote.trim())
  if (!url) return undefined
  const pieces = url.pathname.split('/').filter((piece) => piece !== '')
  const form = hosts.get(url.hostname) ?? owned.get(url.hostname.split('.')[0] ?? '')
  if (!form || pieces.length < 2) return undefined
  const home = `${url.origin}/${pieces.join('/').replace(/\.git$/, '')}`
  return { home, ...form(home) }
}

/** The web address of a remote: `https://…`, `ssh://git@host/…` or `git@host:owner/name`. Drops names and passwords. */
function urlOf(remote: string): URL | undefined {
  const [, host, path] = /^(?:[\w.-]+@)?([a-z\d.-]+\.[a-z]+):(?!\/\/)\/?(.+)$/i.exec(remote) ?? []
  if (host !== undefined) return URL.parse(`https://${host}/${path}`) ?? undefined
  const url = URL.parse(remote)
  if (url?.protocol === 'ssh:') return URL.parse(`https://${url.hostname}${url.pathname}`) ?? undefined
  return url?.protocol === 'https:' || url?.protocol === 'http:' ? url : undefined
}

/** Whether a text is a commit id, in full or abbreviated. */
export const isCommit = (text: string | undefined): text is string => /^[\da-f]{7,64}$/.test(text ?? '')
