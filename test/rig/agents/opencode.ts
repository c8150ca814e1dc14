import type { RealAgent } from './agent.ts'

const price = { input: 3, output: 15, cache_read: 0.3, cache_write: 3.75 }

export const opencode: RealAgent = {
  name: 'opencode',
  title: 'OpenCode',
  packageName: 'opencode-ai',
  version: '1.18.33',
  agent: 'opencode',
  model: 'scripted-model',
  configure: () => ({}),
  env: (url, refuses) => ({
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
    OPENCODE_CONFIG_CONTENT: JSON.stringify({
      autoupdate: false,
      share: 'disabled',
      model: 'scripted/scripted-model',
      small_model: 'scripted/scripted-model',
      // A tool that a pattern denies is still offered, and refused when the model calls it.
      permission: refuses ? { bash: { '*': 'allow', 'rm *': 'deny' } } : 'allow',
      provider: {
        scripted: {
          npm: '@ai-sdk/openai-compatible',
          options: { baseURL: `${url}/v1`, apiKey: 'scripted' },
          models: { 'scripted-model': { limit: { context: 200_000, output: 8_000 }, cost: price } },
        },
      },
    }),
  }),
  args: ({ prompt, resumes }) => ['run', '--format', 'json', ...(resumes ? ['--session', resumes] : []), prompt],
  session: /"sessionID":"([^"]+)"/,
  // Two instances may lock each other out of its database: https://github.com/anomalyco/opencode/issues/33320
  startsAlone: true,
  cost: { source: 'reported', input: 3, cacheRead: 0.3, output: 15 },
  failure: { status: 400, type: 'invalid_request_error', message: 'The scripted request is not valid' },
  limits: [
    { scenario: 'kill', figures: ['model', 'tokens', 'cost'], why: 'Its plugin reports what was used as a turn ends.' },
  ],
}
