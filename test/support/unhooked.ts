import { createHook } from 'node:async_hooks'

// Loaded before each test file. The test runner of Node.js follows every promise and handle to the test that made it, which took
// 10 to 20 % of the CPU time of tests that work with a ledger. It needs that only to name the test of an error that
// nobody caught. Without it such an error fails the file, under its own stack.

const hooks = Object.getPrototypeOf(createHook({}))
hooks.enable = function () {
  return this
}
