import type { HookFile, HookLine } from '../../recorder/agents/install.ts'
import { here, type System } from '../../system/system.ts'

/**
 * What a hook of an agent runs. A project is shared, so its hooks run in the POSIX shell that an agent starts, on Windows
 * Git Bash, and have a line for Windows where the agent reads one. A file of one user has the line of that system alone.
 */
export function hookLine(name: string, { drains }: HookFile, isShared: boolean, system: System = here): HookLine {
  const windows = windowsLine(name, drains)
  return { command: isShared || system === 'posix' ? posixLine(name, drains) : windows, windows }
}

/**
 * The launcher that Conduct keeps, which the PATH of a login shell or of a project with its own Node.js may lack, or else
 * the program on the PATH. Without Conduct it does nothing. `cat` drains the document, so that the agent's write does not
 * fail.
 */
const posixLine = (name: string, drains: boolean) =>
  `PATH="\${XDG_DATA_HOME:-$HOME/.local/share}/conduct/bin:$PATH"; command -v conduct-ledger >/dev/null 2>&1 && conduct-ledger hook ${name} || ${drains ? 'cat >/dev/null' : 'true'}`

/**
 * Agents start different shells on Windows, and change them. This line means the same in all: between its quotes is
 * nothing that cmd.exe, PowerShell or Bash would read. It names the batch file that npm writes, because PowerShell prefers
 * the `.ps1` file, which its policy may forbid. The program reads the document itself, since a pipe of PowerShell changes
 * characters; what it leaves, the next command drains.
 */
const windowsLine = (name: string, drains: boolean) =>
  `powershell -NoProfile -NonInteractive -Command "conduct-ledger.cmd hook ${name}; ${drains ? '[Console]::In.ReadToEnd() | Out-Null; ' : ''}exit 0"`
