import type { RealAgent } from './agent.ts'

const unheard = 'It runs no hook when a turn breaks off: the run fails when its process is gone.'

export const qwen: RealAgent = {
  name: 'qwen',
  title: 'Qwen Code',
  packageName: '@qwen-code/qwen-code',
  version: '0.24.4',
  agent: 'qwen',
  model: 'qwen3-coder-plus',
  configure: ({ repository }) => ({
    '.qwen/trustedFolders.json': JSON.stringify({ [repository]: 'TRUST_FOLDER' }),
    '.qwen/settings.json': JSON.stringify({
      general: { enableAutoUpdate: false },
      // Otherwise it asks the model by itself what to remember of a longer session.
      memory: { enableManagedAutoMemory: false },
      privacy: { usageStatisticsEnabled: false },
      security: { auth: { selectedType: 'openai' } },
    }),
  }),
  env: (url) => ({ OPENAI_API_KEY: 'scripted', OPENAI_BASE_URL: `${url}/v1`, OPENAI_MODEL: qwen.model }),
  args: ({ prompt, model, refuses, resumes }) => [
    ...['--auth-type', 'openai', '-m', model, '--approval-mode', refuses ? 'default' : 'yolo'],
    ...(resumes ? ['--resume', resumes] : []),
    ...['-o', 'stream-json', '-p', prompt],
  ],
  session: /"session_id":"([^"]+)"/,
  // Its model has no public price.
  cost: undefined,
  goesOnAfterSubagents: true,
  failure: { status: 400, type: 'invalid_request_error', message: 'The scripted request is not valid' },
  limits: [
    { scenario: 'API error', figures: ['failure'], why: unheard },
    { scenario: 'interruption', figures: ['failure', 'interrupted', 'failed turns'], why: unheard },
  ],
}
