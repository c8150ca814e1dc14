import type { Operation } from './openapi/document.ts'

/** The example of an operation as a command for the shell, with the key in $CONDUCT_API_KEY. */
export function curlOf(method: string, path: string, { parameters, requestBody, security }: Operation): string {
  const given = parameters.filter(({ example }) => example !== undefined)
  const address = given
    .filter((parameter) => parameter.in === 'path')
    .reduce((url, { name, example }) => url.replace(`{${name}}`, String(example)), `http://localhost:3000${path}`)
  const query = new URLSearchParams(
    given
      .filter((parameter) => parameter.in === 'query')
      .flatMap(({ name, example }) => [example].flat().map((value): [string, string] => [name, String(value)])),
  ).toString()
  const body = requestBody?.content['application/json'].example
  return [
    `curl${method === 'GET' ? '' : ` -X ${method}`}${security ? '' : ' -H "Authorization: Bearer $CONDUCT_API_KEY"'}`,
    ...(body === undefined ? [] : ['-H "Content-Type: application/json"', `-d '${JSON.stringify(body)}'`]),
    query === '' ? address : `"${address}?${query}"`,
  ].join(' \\\n  ')
}
