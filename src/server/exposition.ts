/** A metric with its samples, each a value with labels. */
export interface Metric {
  name: string
  type: 'gauge' | 'counter'
  help: string
  samples: [value: number, labels?: Record<string, string>][]
}

/** A metric without labels; it has no sample if its value is unknown. */
export const metric = (name: string, type: Metric['type'], help: string, value: number | undefined): Metric => ({
  name,
  type,
  help,
  samples: value === undefined ? [] : [[value]],
})

/** Prometheus text of metrics (exposition format 0.0.4); metrics without samples are left out. */
export const linesOf = (metrics: Metric[]): string[] =>
  metrics
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ name, type, help, samples }) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(([value, labels = {}]) => `${name}${labelsOf(labels)} ${value}`),
    ])

function labelsOf(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"]/g, '\\$&')}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}
