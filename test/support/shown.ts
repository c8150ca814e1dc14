import assert from 'node:assert/strict'

const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** Every field that a document shows is in the answer, and equal, but for times and for content, of which it shows an excerpt. */
export function assertShows(shown: unknown, answer: unknown, path = '') {
  if (Array.isArray(shown)) {
    assert.ok(Array.isArray(answer) && answer.length === shown.length, path)
    for (const [index, one] of shown.entries()) assertShows(one, answer[index], `${path}[${index}]`)
  } else if (typeof shown === 'object' && shown !== null) {
    assert.ok(typeof answer === 'object' && answer !== null, path)
    for (const [name, part] of Object.entries(shown)) {
      assert.ok(name in answer, `${path}.${name} is missing`)
      assertShows(part, (answer as Record<string, unknown>)[name], `${path}.${name}`)
    }
  } else if (moment.test(String(shown)) || String(shown).endsWith('T...')) {
    assert.match(String(answer), moment, path)
  } else if (path.endsWith('.content')) {
    assert.match(String(answer), /^# Run Log\n\n./, path)
  } else {
    assert.equal(answer, shown, path)
  }
}
