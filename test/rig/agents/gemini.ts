import type { RealAgent } from './agent.ts'

export const gemini: RealAgent = {
  name: 'gemini',
  title: 'Gemini CLI',
  packageName: '@google/gemini-cli',
  version: '0.61.0',
  agent: 'gemini',
  model: 'gemini-2.5-pro',
  configure: ({ repository }) => ({
    '.gemini/trustedFolders.json': JSON.stringify({
      [repository]: 'TRUST_FOLDER',
      [`${repository}-side`]: 'TRUST_FOLDER',
    }),
    '.gemini/settings.json': JSON.stringify({
      // It writes only to this folder, and may start in a subfolder.
      context: { includeDirectories: [repository] },
      general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
      privacy: { usageStatisticsEnabled: false },
      security: { auth: { selectedType: 'gemini-api-key' } },
    }),
  }),
  env: (url) => ({ GEMINI_API_KEY: 'scripted', GOOGLE_GEMINI_BASE_URL: url }),
  args: ({ prompt, model, refuses, resumes }) => [
    ...['-m', model, '--skip-trust', '--approval-mode', refuses ? 'default' : 'yolo'],
    ...(resumes ? ['--resume', 'latest'] : []),
    ...['-o', 'stream-json', '-p', prompt],
  ],
  session: /"session_id":"([^"]+)"/,
  cost: { source: 'estimated', input: 1.25, cacheRead: 0.125, output: 10 },
  failure: { status: 400, type: 'INVALID_ARGUMENT', message: 'The scripted request is not valid' },
  limits: [
    {
      scenario: 'API error',
      figures: ['failure'],
      why: 'It runs no hook after an API error: the run fails when its process is gone.',
    },
    {
      scenario: 'subagent',
      figures: ['subagents', 'tokens', 'cost'],
      why: 'Neither its hooks nor its transcript name subagents or what they use.',
    },
  ],
}
