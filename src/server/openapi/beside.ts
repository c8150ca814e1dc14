import { headersOf, type OpenApi, type OpenApiOperation, type OpenApiSchema } from './document.ts'
import { failuresOf, projectHeader } from './operation.ts'

const keyed = headersOf({}, { keyed: true, replayed: false, page: false })

const exportOperation: OpenApiOperation = {
  operationId: 'exportLedger',
  tags: ['export'],
  summary: 'Export the whole ledger as lines of JSON',
  description:
    'Permission: admin, with a key of the whole server. An export without a trailer in its last line is incomplete.',
  parameters: [
    {
      name: 'withKeys',
      in: 'query',
      required: false,
      description: 'Whether the export contains the hashes of keys and the secrets of webhooks',
      schema: { type: 'boolean' },
    },
  ],
  responses: {
    200: {
      description: 'OK',
      headers: keyed,
      content: {
        'application/x-ndjson': {
          schema: { type: 'string', description: 'A header, a line for each row and text, and a trailer' },
        },
      },
    },
    ...failuresOf({ isWrite: false }),
  },
}

const hookOperation: OpenApiOperation = {
  operationId: 'sendHook',
  tags: ['hooks'],
  summary: 'Record a hook document of a coding agent',
  description:
    'Permission: agent. Over HTTPS, or from the machine of the server. A document that says nothing new gets the same response.',
  parameters: [
    {
      name: 'agent',
      in: 'path',
      required: true,
      description: "The agent whose hooks these are; the document's own fields decide which agent wrote it",
      schema: { type: 'string' },
      example: 'claude',
    },
    projectHeader,
  ],
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: { type: 'object', description: 'As the agent gives it to its hooks', additionalProperties: true },
        example: { session_id: 'e1', cwd: '/shop', hook_event_name: 'UserPromptSubmit', prompt: 'Fix the login' },
      },
    },
  },
  responses: { 204: { description: 'No Content', headers: keyed }, ...failuresOf({ isWrite: true }) },
}

/** The addresses of the API that are beside the table of operations. */
export const pathsBeside: OpenApi['paths'] = {
  '/v1/export': { get: exportOperation },
  '/v1/hooks/{agent}': { post: hookOperation },
}

const headerOf = (name: string, description: string) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string' },
})

/** What the server sends to webhooks (Standard Webhooks 1.0). */
export const webhookMessages: OpenApi['webhooks'] = {
  message: {
    post: {
      operationId: 'receiveEvents',
      tags: ['webhooks'],
      summary: 'Receive a batch of events, or a test',
      description: 'A batch may arrive again, with the same webhook-id. The next one follows after a response of 2xx.',
      security: [],
      parameters: [
        headerOf('webhook-id', 'The same for every attempt to send the same events'),
        headerOf('webhook-timestamp', 'When it was sent, in Unix seconds'),
        headerOf('webhook-signature', 'Signatures by each valid secret: v1, a comma, and base64, separated by spaces'),
      ],
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { $ref: '#/components/schemas/WebhookMessage' } } },
      },
      responses: {
        204: { description: 'Accepted; so is any other 2xx' },
        410: { description: 'Disables the webhook at once' },
      },
    },
  },
}

/** The schemas of these, by name. */
export const schemasBeside: Record<string, OpenApiSchema> = {
  WebhookMessage: {
    type: 'object',
    required: ['type', 'timestamp', 'data'],
    properties: {
      type: { type: 'string', enum: ['events', 'test'], description: 'A test has no events' },
      timestamp: { type: 'string', format: 'date-time', description: 'The time of its last event' },
      data: {
        type: 'object',
        required: ['webhookId', 'events'],
        description: 'What it contains',
        properties: {
          webhookId: { type: 'integer', description: 'The webhook that sends it' },
          events: {
            type: 'array',
            items: { $ref: '#/components/schemas/Event' },
            maxItems: 100,
            description: 'In the order of the log',
          },
        },
      },
    },
  },
}
