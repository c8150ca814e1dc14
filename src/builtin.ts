/**
 * Returns node:http. An `import` of it would read all of its exports, of which one, WebSocket, loads undici
 * (docs/adr/0020-the-server-has-its-own-listener.md).
 */
export const nodeHttp = () => process.getBuiltinModule('node:http')
