import type { z } from 'zod'
import type { Name } from '../contract/paths.ts'
import type { OperationRoute } from '../contract/route.ts'
import { findRoutes } from '../find/routes.ts'
import { logRoutes } from '../log/routes.ts'
import { sealRoutes } from '../log/seal/routes.ts'
import { featureRoutes } from '../nouns/feature/routes.ts'
import { keyRoutes } from '../nouns/key/routes.ts'
import { projectRoutes } from '../nouns/project/routes.ts'
import { attentionRoutes } from '../nouns/run/attention/routes.ts'
import { checkRoutes } from '../nouns/run/check/routes.ts'
import { diffRoutes } from '../nouns/run/diff/routes.ts'
import { runRoutes } from '../nouns/run/routes.ts'
import { runWorkRoutes } from '../nouns/run/work-routes.ts'
import { specRoutes } from '../nouns/spec/routes.ts'
import { webhookRoutes } from '../nouns/webhook/routes.ts'
import { eraseRoutes } from '../removal/erase-routes.ts'
import { forgetRoutes } from '../removal/forget-routes.ts'

export type { OperationRoute as Route } from '../contract/route.ts'
export { exampleKey } from '../contract/route.ts'

/** Every operation of the API, grouped by noun. */
export const routes = {
  ...runRoutes,
  ...runWorkRoutes,
  ...diffRoutes,
  ...specRoutes,
  ...checkRoutes,
  ...attentionRoutes,
  ...featureRoutes,
  ...projectRoutes,
  ...keyRoutes,
  ...webhookRoutes,
  ...eraseRoutes,
  ...forgetRoutes,
  ...logRoutes,
  ...findRoutes,
  ...sealRoutes,
} as const satisfies { [N in Name]: OperationRoute }

export type Routes = typeof routes
/** What a caller may send: fields with defaults are optional, and transformed ones have their input form. */
export type Input<N extends Name> = z.input<Routes[N]['input']>
/** What an operation receives. */
export type Parsed<N extends Name> = z.output<Routes[N]['input']>
export type Output<N extends Name> = z.output<Routes[N]['output']>
