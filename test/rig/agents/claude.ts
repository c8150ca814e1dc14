import type { RealAgent } from './agent.ts'

const key = 'sk-ant-scripted'

export const claude: RealAgent = {
  name: 'claude',
  title: 'Claude Code',
  packageName: '@anthropic-ai/claude-code',
  version: '2.1.332',
  agent: 'claude-code',
  model: 'claude-sonnet-4-5-20250929',
  configure: ({ repository }) => ({
    '.claude.json': JSON.stringify({
      hasCompletedOnboarding: true,
      customApiKeyResponses: { approved: [key], rejected: [] },
      projects: { [repository]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } },
    }),
    '.claude/settings.json': JSON.stringify({ enableAllProjectMcpServers: true, includeCoAuthoredBy: false }),
  }),
  env: (url) => ({
    ANTHROPIC_API_KEY: key,
    ANTHROPIC_BASE_URL: url,
    // Otherwise it refuses to run as root, for example in a container.
    IS_SANDBOX: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    CLAUDE_CODE_MAX_RETRIES: '1',
    DISABLE_AUTOUPDATER: '1',
    // Otherwise it hides the tools of MCP servers until the model searches for them.
    ENABLE_TOOL_SEARCH: 'false',
  }),
  args: ({ prompt, model, refuses, resumes, isTyped }) => [
    ...['-p', ...(isTyped ? ['--input-format', 'stream-json'] : [prompt])],
    ...['--model', model, '--output-format', 'stream-json', '--verbose'],
    ...['--permission-mode', refuses ? 'dontAsk' : 'bypassPermissions'],
    ...(resumes ? ['--resume', resumes] : []),
  ],
  typed: (text) => `${JSON.stringify({ type: 'user', message: { role: 'user', content: text } })}\n`,
  session: /"session_id":"([^"]+)"/,
  cost: { source: 'reported', isToldAtEnd: true, input: 3, cacheRead: 0.3, cacheWrite: 3.75, output: 15 },
  goesOnAfterSubagents: true,
  failure: { status: 429, type: 'rate_limit_error', message: 'This request would exceed your rate limit' },
}
