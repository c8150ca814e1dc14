import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** What the release needs beside npm, what for, and how Debian installs it. */
const tools = {
  git: { for: 'the clean clone', from: 'git' },
  tar: { for: 'the archive of the plugins', from: 'tar' },
  'apt-get': { for: 'the libraries in the image', from: 'a Debian machine' },
  'dpkg-deb': { for: 'the libraries in the image', from: 'dpkg' },
  buildah: { for: 'the image', from: 'buildah' },
  podman: { for: 'running the image', from: 'podman' },
  runc: { for: 'running the image', from: 'runc' },
} as const

export type Tool = keyof typeof tools

/** Whether this machine has these programs. */
export const has = (...names: Tool[]) => names.every((name) => isOnPath(name))

/** A sentence for each of the programs that this machine does not have. */
export const missing = (...names: Tool[]): string[] =>
  names
    .filter((name) => !isOnPath(name))
    .map((name) => `${name} is missing, for ${tools[name].for}: install ${tools[name].from}`)

function isOnPath(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
