import { type Limit, type RealAgent, wholeTurn } from './agent.ts'

/** It reports the end of a turn that goes well, and nothing after it. */
const unended = (scenario: string): Limit => ({
  scenario,
  figures: ['status'],
  why: 'It runs no hook at the end of a session without a terminal: the run stays open until its lease ends.',
})

const unheard = (scenario: string): Limit => ({
  scenario,
  figures: wholeTurn,
  why: 'It runs no hook when a turn breaks off: the run fails when its lease ends.',
})

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
      privacy: { usageStatisticsEnabled: false },
      security: { auth: { selectedType: 'openai' } },
    }),
  }),
  env: (url) => ({ OPENAI_API_KEY: 'scripted', OPENAI_BASE_URL: `${url}/v1`, OPENAI_MODEL: qwen.model }),
  args: ({ prompt, model, refuses }) => [
    ...['--auth-type', 'openai', '-m', model, '--approval-mode', refuses ? 'default' : 'yolo'],
    ...['-o', 'stream-json', '-p', prompt],
  ],
  session: /"session_id":"([^"]+)"/,
  // Its model has no public price.
  cost: undefined,
  goesOnAfterSubagents: true,
  failure: { status: 400, type: 'invalid_request_error', message: 'The scripted request is not valid' },
  limits: [...['whole session', 'subagent'].map(unended), ...['API error', 'interruption'].map(unheard)],
}
