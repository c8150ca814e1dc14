import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMessageReader } from '../../src/client/follow.ts'

/** A stream and its messages, by the rules of server-sent events. */
const streams: [about: string, text: string, messages: object[]][] = [
  ['lines that end with LF', 'id: 1\ndata: a\n\ndata: b\n\n', [{ id: '1', data: 'a' }, { data: 'b' }]],
  ['lines that end with CRLF', 'id: 1\r\ndata: a\r\n\r\ndata: b\r\n\r\n', [{ id: '1', data: 'a' }, { data: 'b' }]],
  ['lines that end with CR', 'id: 1\rdata: a\r\rdata: b\r\r:\n', [{ id: '1', data: 'a' }, { data: 'b' }]],
  [
    'other separators of Unicode',
    'data: a\u2028id: 2\u2029b\u0085c\vd\n\n',
    [{ data: 'a\u2028id: 2\u2029b\u0085c\vd' }],
  ],
  ['several lines of data', 'data: a\ndata:b\ndata\n\n', [{ data: 'a\nb\n' }]],
  ['a comment', ': still here\n\n', [{}]],
  ['an unfinished message', 'data: a\n\nid: 2\ndata: b\n', [{ data: 'a' }]],
]

for (const [about, text, messages] of streams) {
  test(`a stream with ${about}, at once and character by character`, () => {
    assert.deepEqual(createMessageReader()(text), messages)
    assert.deepEqual([...text].flatMap(createMessageReader()), messages)
  })
}
