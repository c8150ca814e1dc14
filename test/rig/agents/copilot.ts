import type { RealAgent } from './agent.ts'

export const copilot: RealAgent = {
  name: 'copilot',
  title: 'Copilot CLI',
  packageName: '@github/copilot',
  version: '1.0.102',
  agent: 'copilot',
  model: 'gpt-4.1',
  configure: ({ repository }) => ({ '.copilot/config.json': JSON.stringify({ trusted_folders: [repository] }) }),
  env: (url) => ({
    COPILOT_OFFLINE: 'true',
    COPILOT_AUTO_UPDATE: 'false',
    COPILOT_PROVIDER_BASE_URL: `${url}/v1`,
    COPILOT_PROVIDER_TYPE: 'openai',
    COPILOT_PROVIDER_API_KEY: 'scripted',
    COPILOT_MODEL: copilot.model,
  }),
  args: ({ prompt, refuses, resumes }) => [
    ...[
      '-p',
      prompt,
      ...(resumes ? ['--resume', resumes] : ['--trust-folder']),
      '--disable-client-telemetry',
      '--output-format',
      'json',
    ],
    ...(refuses ? [] : ['--allow-all-tools', '--allow-all-paths']),
  ],
  // Its hooks are registered with the names of Claude Code.
  toolNames: { view: 'Read', edit: 'Edit', create: 'Write', bash: 'Bash', task: 'Agent' },
  session: /"sessionId":"([^"]+)"/,
  cost: { source: 'estimated', input: 2, cacheRead: 0.5, output: 8 },
  failure: { status: 400, type: 'invalid_request_error', message: 'The scripted request is not valid' },
  limits: [
    { figures: ['durations'], why: 'It does not say how long a command took, nor whether it asked a person before.' },
    { scenario: 'refused permission', figures: ['tools', 'refused'], why: 'It runs no hook after a tool is refused.' },
  ],
}
