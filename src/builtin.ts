/**
 * Returns node:http. An `import` of it would read all of its exports. One of them, WebSocket, loads undici, which takes 14 MB
 * of an empty process, together with node:http2.
 */
export const nodeHttp = () => process.getBuiltinModule('node:http')
