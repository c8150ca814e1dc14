import assert from 'node:assert/strict'
import { globSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Env, quiet, run } from './run.ts'

/** The agents that validate or install a plugin without an account. Their versions are those of `npm run proof:agents`. */
const packages = ['@anthropic-ai/claude-code@2.1.332', '@openai/codex@0.171.0', '@google/gemini-cli@0.61.0']

/** Installs these agents, and lets each install its plugin from a checkout, in an empty home. Throws if one refuses. */
export async function checkPlugins(source: string, scratch: string): Promise<void> {
  const [programs, home] = [join(scratch, 'agents'), join(scratch, 'agents-home')]
  for (const folder of [programs, home]) mkdirSync(folder, { recursive: true })
  const allowScripts = Object.fromEntries(packages.map((name) => [name.replace(/@[^@]+$/, ''), true]))
  writeFileSync(join(programs, 'package.json'), JSON.stringify({ private: true, allowScripts }))
  await run(programs, process.env, 'npm', 'install', ...quiet, ...packages)
  const env: Env = {
    ...process.env,
    HOME: home,
    PATH: [join(programs, 'node_modules/.bin'), process.env.PATH].join(delimiter),
  }
  const call = (program: string, ...words: string[]) => run(source, env, program, ...words)

  await call('claude', 'plugin', 'validate', '--strict', '.')
  await call('claude', 'plugin', 'validate', '--strict', 'plugins/claude')
  await call('claude', 'plugin', 'marketplace', 'add', './')
  await call('claude', 'plugin', 'install', 'conduct@conduct')
  assert.match(await call('claude', 'plugin', 'details', 'conduct@conduct'), /Skills \(2\)[\s\S]*MCP servers \(1\)/)

  await call('codex', 'plugin', 'marketplace', 'add', '.')
  await call('codex', 'plugin', 'add', 'conduct@conduct')
  // Codex lists plugins that it could not load, too.
  const kept = globSync('.codex/plugins/cache/conduct/conduct/*/hooks/hooks.json', { cwd: home })
  assert.equal(kept.length, 1, 'codex did not keep the plugin')

  await call('gemini', 'extensions', 'validate', 'plugins/gemini')
  // It asks whether the folder is trusted, whatever its flags say.
  await call('sh', '-c', 'echo y | gemini extensions install plugins/gemini --consent')
  assert.match(
    await call('sh', '-c', 'gemini extensions list </dev/null 2>&1'),
    /MCP servers:\s+conduct[\s\S]*record-a-check/,
  )
}
