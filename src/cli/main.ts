#!/usr/bin/env node
import { readFileSync } from 'node:fs'

const words = process.argv.slice(2)
if (words[0] === '--version' || words[0] === '-V') {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  process.stdout.write(`${(JSON.parse(file) as { version: string }).version}\n`)
} else {
  // Loaded only now: a version is told at once.
  const { runProgram } = await import('./program.ts')
  await runProgram(words)
}
