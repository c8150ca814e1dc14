import type { z } from 'zod'
import type { Name } from './paths.ts'
import { checkRoutes } from './routes/check.ts'
import { eraseRoutes } from './routes/erase.ts'
import { featureRoutes } from './routes/feature.ts'
import { forgetRoutes } from './routes/forget.ts'
import { keyRoutes } from './routes/key.ts'
import { ledgerRoutes } from './routes/ledger.ts'
import { logRoutes } from './routes/log.ts'
import { projectRoutes } from './routes/project.ts'
import type { Route } from './routes/route.ts'
import { runRoutes } from './routes/run.ts'
import { runWorkRoutes } from './routes/run-work.ts'
import { specRoutes } from './routes/spec.ts'
import { webhookRoutes } from './routes/webhook.ts'

export type { Route } from './routes/route.ts'
export { exampleKey } from './routes/route.ts'

/** Every operation of the API, grouped by noun. */
export const routes = {
  ...runRoutes,
  ...runWorkRoutes,
  ...specRoutes,
  ...checkRoutes,
  ...featureRoutes,
  ...projectRoutes,
  ...keyRoutes,
  ...webhookRoutes,
  ...eraseRoutes,
  ...forgetRoutes,
  ...ledgerRoutes,
  ...logRoutes,
} as const satisfies { [N in Name]: Route }

export type Routes = typeof routes
/** What a caller may send: fields with defaults are optional, and transformed ones have their input form. */
export type Input<N extends Name> = z.input<Routes[N]['input']>
/** What an operation receives. */
export type Parsed<N extends Name> = z.output<Routes[N]['input']>
export type Output<N extends Name> = z.output<Routes[N]['output']>
