/** The URL of the page and thus of the server, with the base path and a trailing slash. */
export const base = new URL('.', location.href).href
