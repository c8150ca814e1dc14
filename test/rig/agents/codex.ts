import type { RealAgent } from './agent.ts'

export const codex: RealAgent = {
  name: 'codex',
  title: 'Codex',
  packageName: '@openai/codex',
  version: '0.171.0',
  agent: 'codex',
  // A model of its catalog, because for others it has no tool for editing.
  model: 'gpt-6.1-sol',
  configure: ({ repository, url }) => ({
    '.codex/config.toml': `model_provider = "scripted"
check_for_update_on_startup = false
approval_policy = "never"
sandbox_mode = "danger-full-access"
[analytics]
enabled = false
[model_providers.scripted]
name = "scripted"
base_url = "${url}"
wire_api = "responses"
env_key = "OPENAI_API_KEY"
request_max_retries = 1
stream_max_retries = 1
[projects."${repository}"]
trust_level = "trusted"
`,
  }),
  env: () => ({ OPENAI_API_KEY: 'scripted' }),
  args: ({ prompt, url, model, resumes, forks, reviews, contextTokens, isTyped }) => [
    ...(isTyped ? [] : ['exec', '--json', '--skip-git-repo-check']),
    ...['--dangerously-bypass-hook-trust', '-m', model],
    ...['-c', `model_providers.scripted.base_url="${url}"`],
    // Otherwise its first turn may begin before the MCP server has started, without the tools of that server.
    // At a terminal, it reads its settings once without those of the project.
    ...(isTyped ? [] : ['-c', 'mcp_servers.conduct.required=true']),
    ...(contextTokens === undefined ? [] : ['-c', `model_auto_compact_token_limit=${contextTokens}`]),
    ...(reviews ? ['review', '--uncommitted'] : []),
    ...(resumes ? ['resume', resumes] : forks ? ['fork', forks] : []),
    ...(reviews ? [] : [prompt]),
  ],
  session: /"thread_id":"([^"]+)"/,
  toolNames: { exec_command: 'Bash' },
  // Its model has no public price.
  cost: undefined,
  failure: {
    status: 429,
    type: 'rate_limit_exceeded',
    message: 'Too fast',
    told: 'last status: 429 Too Many Requests',
  },
}
