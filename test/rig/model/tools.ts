import { fieldsOf, type JsonFields, listOf } from '../../../src/recorder/agents/fields.ts'

/** A tool that an agent offers to the model. */
export interface Tool {
  name: string
  namespace?: string
  /** Its input is a text instead of an object. */
  isFreeform?: true
  properties: Record<string, JsonFields>
  required: string[]
  /** It is a function in the JavaScript that this tool runs. */
  inside?: Tool
}

/** The tools in a request of any API. */
export function toolsIn(body: JsonFields): Tool[] {
  // Codex lists more tools among the messages.
  const added = listOf(body.input).filter(({ type }) => type === 'additional_tools')
  const tools = [body, ...added].flatMap(({ tools }) => listOf(tools)).flatMap((tool) => toolsOf(tool))
  const script = tools.find(({ name, isFreeform }) => name === 'exec' && isFreeform)
  return script ? [...tools, ...functionsOf(script)] : tools
}

function toolsOf(tool: JsonFields, namespace?: string): Tool[] {
  const declared = listOf(tool.functionDeclarations)
  if (declared.length > 0) return declared.flatMap((one) => toolsOf(one))
  if (tool.type === 'namespace') return listOf(tool.tools).flatMap((one) => toolsOf(one, String(tool.name)))
  const named = tool.function === undefined ? tool : fieldsOf(tool.function)
  if (typeof named.name !== 'string') return []
  const schema = fieldsOf(named.input_schema ?? named.parameters ?? named.parametersJsonSchema)
  return [
    {
      name: named.name,
      ...(namespace !== undefined && { namespace }),
      ...(tool.type === 'custom' && { isFreeform: true }),
      properties: fieldsOf(schema.properties) as Tool['properties'],
      required: Array.isArray(schema.required) ? schema.required.map(String) : [],
    },
  ]
}

/**
 * Where Codex lets the model write JavaScript, its own tools are functions in it, and the request does not list them.
 */
const functionsOf = (inside: Tool): Tool[] => [
  {
    name: 'exec_command',
    properties: { cmd: { type: 'string' }, yield_time_ms: { type: 'number' } },
    required: ['cmd'],
    inside,
  },
  { name: 'apply_patch', isFreeform: true, properties: {}, required: [], inside },
]
