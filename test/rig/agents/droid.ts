import type { RealAgent } from './agent.ts'

export const droid: RealAgent = {
  name: 'droid',
  title: 'Factory Droid',
  packageName: 'droid',
  version: '0.215.0',
  agent: 'droid',
  // It names models of its user by their place in its settings.
  model: 'custom:scripted-0',
  configure: ({ url }) => ({
    '.factory/settings.json': JSON.stringify({
      enableHooks: true,
      cloudSessionSync: false,
      customModels: [
        {
          model: 'claude-sonnet-4-5-20250929',
          displayName: 'scripted',
          baseUrl: url,
          apiKey: 'scripted',
          provider: 'anthropic',
          maxOutputTokens: 8_000,
        },
      ],
    }),
  }),
  env: () => ({ FACTORY_API_KEY: 'fk-scripted', FACTORY_TELEMETRY: 'false', DROID_DISABLE_AUTO_UPDATE: 'true' }),
  args: ({ prompt, model, refuses, resumes }) => [
    ...['exec', '--auto', refuses ? 'low' : 'high', '-m', model, '-o', 'stream-json'],
    ...(resumes ? ['-s', resumes] : []),
    prompt,
  ],
  session: /"session_id":"([^"]+)"/,
  // Its model has no public price.
  cost: undefined,
  countsCacheWrites: true,
  // It resumes sessions and starts subagents only when it is logged in, and its settings have one model for all sessions.
  leavesOut: ['resume', 'watched in a browser', 'subagent', 'worktree'],
  limits: [{ figures: ['durations'], why: 'It does not say how long a command took.' }],
  failure: { status: 400, type: 'invalid_request_error', message: 'The scripted request is not valid' },
}
