import { shellWords } from './shell-words.ts'

/** Commands that change no file, whatever their arguments are. */
const always = new Set(
  `: [ basename cal cat cd cksum cmp column comm cut date df diff dirname du echo egrep export false fgrep file grep head
   hexdump id jq ls md5sum more nl nproc od paste pgrep popd printenv printf ps pushd pwd readlink realpath rev seq set
   sha1sum sha256sum sleep stat strings tac tail test tr true type uname uptime wait wc whereis which who whoami`.split(
    /\s+/,
  ),
)

/** Options with which a command writes a file or starts another command, and without which it only reads. */
const writes: Record<string, RegExp> = {
  ag: /^--pager/,
  find: /^-(?:exec|execdir|ok|okdir|delete|fprint|fprint0|fprintf|fls)$/,
  fd: /^(?:-[a-zA-Z]*[xX]|--exec|--exec-batch)/,
  history: /^-[a-z]*[anrw]/,
  jobs: /^-x/,
  less: /^(?:\+|-[a-zA-Z]*[oO]|--log-file)/i,
  rg: /^--pre/,
  sort: /^(?:-[a-zA-Z]*o|--output|--compress-program)/,
  tree: /^-[a-zA-Z]*o/,
  yq: /^(?:-[a-zA-Z]*i|--inplace)/,
}

/** Commands of git that leave the files of the working tree as they are. */
const git = new Set(
  `add blame branch cat-file check-attr check-ignore cherry commit count-objects describe diff diff-index diff-tree fetch
   for-each-ref grep help log ls-files ls-remote ls-tree merge-base name-rev push range-diff reflog rev-list rev-parse
   shortlog show show-branch show-ref status symbolic-ref tag var verify-commit version whatchanged`.split(/\s+/),
)

const gh = new Set('browse checks comment create diff edit list ready review status view watch'.split(' '))

/** Whether a simple command changes no file. Its redirections are not considered. */
export function onlyReads(command: string): boolean {
  const words = shellWords(command)
  if (!words) return false
  const [name = '', ...args] = words.slice(words.findIndex((word) => !/^\0?\w+=/.test(word)))
  if (always.has(name)) return name !== 'diff' || !args.some((arg) => arg.startsWith('--output'))
  if (Object.hasOwn(writes, name)) return !args.some((arg) => writes[name]?.test(arg.replace('\0', '')))
  if (name === 'sed') return sedOnlyReads(args)
  if (name === 'uniq') return args.filter((arg) => !arg.startsWith('-')).length < 2
  if (name === 'command') return args[0] === '-v' || args[0] === '-V'
  if (name === 'git') return gitOnlyReads(args)
  if (name === 'gh') return ['pr', 'issue', 'run', 'repo', 'release'].includes(args[0] ?? '') && gh.has(args[1] ?? '')
  return args.length === 1 && (args[0] === '--version' || args[0] === '--help')
}

/** Printing, deleting and quitting only: other commands of sed may write. */
function sedOnlyReads(args: string[]): boolean {
  const [script = '', ...files] = args.filter((arg) => !/^-[nErs]+$/.test(arg))
  const isPlain = script.split(';').every((one) => /^(?:\d+|\$)?(?:,\+?(?:\d+|\$))?[pdq]$/.test(one))
  return isPlain && !files.some((file) => file.startsWith('-'))
}

function gitOnlyReads(args: string[]): boolean {
  const plain = args.filter((arg) => arg !== '--no-pager' && arg !== '-P')
  const at = plain[0] === '-C' ? 2 : 0
  const [name = '', first = ''] = plain.slice(at)
  if (name === 'stash' || name === 'worktree') return first === 'list' || (name === 'stash' && first === 'show')
  if (name === 'remote') return ['', '-v', 'show', 'get-url'].includes(first)
  if (name === 'config') return ['--get', '--get-all', '--list', '-l', 'get', 'list'].includes(first)
  return git.has(name) && !plain.some((arg) => /^(?:--output|--ext-diff|-O|--open-files-in-pager|--textconv)/.test(arg))
}
