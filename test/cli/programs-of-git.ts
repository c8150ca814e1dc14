/**
 * The settings by which a repository can name a program that git runs, or a file or an address that leads to one, from
 * git-config(1), gitattributes(5) and githooks(5) up to August 2026. `<x>` stands for any name.
 */
export const settingsThatRun: readonly string[] = [
  ...[
    'alias.<x>',
    'alias.<x>.command',
    'browser.<x>.cmd',
    'browser.<x>.path',
    'core.alternaterefscommand',
    'core.askpass',
    'core.editor',
  ],
  ...['core.fsmonitor', 'core.gitproxy', 'core.hookspath', 'core.pager', 'core.sshcommand', 'core.worktree'],
  ...['credential.<x>.helper', 'credential.helper', 'diff.<x>.command', 'diff.<x>.textconv', 'diff.external'],
  ...['diff.guitool', 'diff.tool', 'difftool.<x>.cmd', 'difftool.<x>.path', 'extensions.partialclone'],
  ...['filter.<x>.clean', 'filter.<x>.process', 'filter.<x>.smudge', 'gc.recentobjectshook'],
  ...['gpg.<x>.program', 'gpg.program', 'gpg.ssh.defaultkeycommand', 'guitool.<x>.cmd', 'help.browser'],
  ...['hook.<x>.command', 'imap.tunnel', 'include.path', 'includeif.<x>.path', 'instaweb.browser', 'instaweb.httpd'],
  ...['instaweb.modulepath', 'interactive.difffilter', 'lfs.extension.<x>.clean', 'man.<x>.cmd', 'man.<x>.path'],
  ...['man.viewer', 'merge.<x>.driver', 'merge.guitool', 'merge.tool', 'mergetool.<x>.cmd', 'mergetool.<x>.path'],
  ...['pager.<x>', 'protocol.<x>.allow', 'protocol.allow', 'remote.<x>.pushurl', 'remote.<x>.receivepack'],
  ...['remote.<x>.uploadpack', 'remote.<x>.url', 'remote.<x>.vcs', 'sendemail.<x>.tocmd', 'sendemail.cccmd'],
  ...['sendemail.headercmd', 'sendemail.sendmailcmd', 'sendemail.smtpserver', 'sendemail.tocmd', 'sequence.editor'],
  ...['submodule.<x>.update', 'submodule.<x>.url', 'tar.<x>.command', 'trailer.<x>.cmd', 'trailer.<x>.command'],
  ...['uploadpack.packobjectshook', 'url.<x>.insteadof', 'url.<x>.pushinsteadof', 'web.browser'],
]

/** How the last part of a setting is called that names a program. */
export const looksLikeProgram =
  /(?:askpass|browser|clean|cmd|command|driver|editor|exec|external|filter|helper|hook|hooks|httpd|pager|process|program|receivepack|script|shell|smudge|textconv|tool|tunnel|uploadpack|vcs|viewer)$/

/** Settings that are called so, and name none. */
export const settingsThatOnlyLookSo: Record<string, string> = {
  'advice.ignoredhook': 'a flag',
  'advice.waitingforeditor': 'a flag',
  'color.pager': 'a flag',
  'column.clean': 'how to lay out a list',
  'diff.<x>.cachetextconv': 'a flag',
  'gc.repackfilter': 'which objects to keep',
  'gitcvs.dbdriver': 'a driver of Perl; only git-cvsserver reads it',
  'merge.<x>.recursive': 'the name of another driver',
  'rebase.reschedulefailedexec': 'a flag',
  'remote.<x>.partialclonefilter': 'which objects to fetch',
  'uploadpack.allowfilter': 'a flag',
}

/** The hooks of git, for a repository that has all of them. */
export const hooks: readonly string[] = [
  ...['applypatch-msg', 'commit-msg', 'fsmonitor-watchman', 'post-applypatch', 'post-checkout', 'post-commit'],
  ...['post-index-change', 'post-merge', 'post-receive', 'post-rewrite', 'post-update', 'pre-applypatch'],
  ...['pre-auto-gc', 'pre-commit', 'pre-merge-commit', 'pre-push', 'pre-rebase', 'pre-receive', 'prepare-commit-msg'],
  ...['proc-receive', 'push-to-checkout', 'reference-transaction', 'sendemail-validate', 'update'],
]
