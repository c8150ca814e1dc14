import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createApp } from '../../src/server/app.ts'
import { freshFolder } from '../cli/folder.ts'
import { root } from '../support/built.ts'
import { engines, openLedger } from '../support/engines.ts'

/** Runs a tool that npm does not have. Throws its output unless it accepts its input. */
function accepts(command: string, args: string[], install: string, input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, input, encoding: 'utf8' })
  assert.equal(error, undefined, `${command} is missing: ${install}`)
  assert.equal(status, 0, `${stdout}${stderr}`)
  return `${stdout}${stderr}`
}

test('promtool accepts the alert rules and the metrics', async (t) => {
  const install = 'apt-get install prometheus'
  t.diagnostic(accepts('promtool', ['check', 'rules', 'deploy/prometheus/conduct.rules.yml'], install).trim())
  for (const engine of engines) {
    const { store } = await openLedger(t, engine)
    const app = createApp({ store })
    const text = await (
      await app.fetch(new Request('http://localhost/metrics'), { incoming: { socket: { remoteAddress: '127.0.0.1' } } })
    ).text()
    const said = accepts('promtool', ['check', 'metrics'], install, text)
    t.diagnostic(`metrics (${engine.name}): ${said.trim() || 'nothing to complain of'}`)
  }
})

test('promtool accepts the queries of the dashboard', (t) => {
  const { panels } = JSON.parse(readFileSync(join(root, 'deploy/grafana/conduct.json'), 'utf8')) as {
    panels: { targets: { expr: string }[] }[]
  }
  const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m')))
  const rules = queries.map((expr, n) => ({ record: `query:${n}`, expr }))
  const file = join(freshFolder(t), 'queries.yml')
  // JSON is also YAML.
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
  t.diagnostic(accepts('promtool', ['check', 'rules', '--lint=none', file], 'apt-get install prometheus').trim())
})

test('systemd accepts the unit, and rates its exposure as low', (t) => {
  const install = 'apt-get install systemd'
  const unit = 'deploy/systemd/conduct.service'
  accepts('systemd-analyze', ['verify', unit], install)
  const said = accepts('systemd-analyze', ['security', '--offline=true', '--threshold=20', unit], install)
  t.diagnostic(said.trim().split('\n').at(-1) ?? '')
})

test('the alerts for a lost lease, an old backup and a silent database fire, and no others', (t) => {
  const folder = freshFolder(t)
  mkdirSync(folder, { recursive: true })
  const rules = join(root, 'deploy/prometheus/conduct.rules.yml')
  const series = (name: string, values: string) => ({ series: name, values })
  const instance = 'instance="a"'
  const firing = (alertname: string, exp_alerts: object[], eval_time = '2h') => ({ eval_time, alertname, exp_alerts })
  const tests = {
    rule_files: [rules],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: [
          series(`up{job="conduct",${instance}}`, '1x180'),
          series(`conduct_runs_lease_lost_total{${instance}}`, '0+1x180'),
          series(`conduct_backup_overdue{${instance}}`, '0x180'),
          series(`conduct_runs_lapsed{${instance}}`, '0x180'),
        ],
        alert_rule_test: [
          firing('ConductLeasesLost', [
            {
              exp_labels: { severity: 'warning' },
              exp_annotations: {
                summary: 'The leases of more than five runs expired within the last hour.',
              },
            },
          ]),
          firing('ConductDatabaseSilent', [
            {
              exp_labels: { severity: 'critical', job: 'conduct', instance: 'a' },
              exp_annotations: { summary: 'The database of a does not respond within a second.' },
            },
          ]),
          firing('ConductReaperStuck', []),
          firing('ConductDown', []),
          firing('ConductBackupOld', []),
        ],
      },
    ],
  }
  const file = join(folder, 'tests.yml')
  writeFileSync(file, JSON.stringify(tests))
  t.diagnostic(accepts('promtool', ['test', 'rules', file], 'apt-get install prometheus').trim())
})
