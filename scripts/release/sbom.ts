/** The parts of a CycloneDX document that we read and change. */
export interface Bom {
  serialNumber?: string
  metadata: { timestamp?: string; component: { name: string; [field: string]: unknown }; [field: string]: unknown }
  components: Component[]
  dependencies?: { ref: string; dependsOn?: string[] }[]
  [field: string]: unknown
}

export interface Component {
  'bom-ref': string
  name: string
  version: string
  [field: string]: unknown
}

/**
 * The SBOM of an artefact, from what npm says of the lock file: only the packages in it, by `name@version`, without the
 * time and the serial number that would differ each time. Throws if npm does not know one of them.
 */
export function sbomOf(all: Bom, name: string, contained: readonly string[], more: Component[] = []): Bom {
  const { serialNumber: _, ...rest } = all
  const { timestamp: __, ...metadata } = all.metadata
  const wanted = new Set(contained)
  const components = all.components.filter(({ 'bom-ref': ref }) => wanted.has(ref))
  const missing = contained.filter((ref) => !components.some(({ 'bom-ref': known }) => known === ref))
  if (missing.length > 0) throw new Error(`npm does not list ${missing.join(', ')}, which are in the artefact`)
  const refs = new Set([...wanted, String(metadata.component['bom-ref'])])
  return {
    ...rest,
    metadata: { ...metadata, component: { ...metadata.component, name } },
    components: [...components, ...more].sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1)),
    dependencies: all.dependencies
      ?.filter(({ ref }) => refs.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn?.filter((one) => wanted.has(one)) ?? [] })),
  }
}
