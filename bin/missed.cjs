// biome-ignore-all lint/style/useNodejsImportProtocol: an old Node.js does not know node:
// What is left to do where no Node.js can run the program: a hook keeps silent and keeps why, and the doctor says it.
const fs = require('fs')
const path = require('path')
const newer = require('./newer.cjs')

function missedFile() {
  const state = process.env.XDG_STATE_HOME || path.join(newer.home(), '.local/state')
  return path.join(state, 'conduct/hook-missed.json')
}

/** Ends a hook that cannot record, with 0 and without a word. `conduct doctor` and `conduct status` tell why. */
exports.keep = (reason) => {
  try {
    const file = missedFile()
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    const text = JSON.stringify({ at: Date.now(), agent: process.argv[3], reason: reason })
    fs.writeFileSync(file, `${text}\n`, { mode: 0o600 })
  } catch (_) {}
  // The agent can write its document, but is waited for no longer than a second.
  process.stdin.resume()
  process.stdin.on('end', () => process.exit(0))
  process.stdin.on('error', () => process.exit(0))
  setTimeout(() => process.exit(0), 1000)
}

/** `conduct doctor`, on a Node.js that is too old for the program. */
exports.doctor = (needs) => {
  const findings = [{ about: 'node', state: 'fail', told: `${needs} It is ${process.execPath}.` }]
  try {
    const missed = JSON.parse(fs.readFileSync(missedFile(), 'utf8'))
    const at = new Date(missed.at).toISOString()
    findings.push({
      about: 'hooks',
      state: 'fail',
      told: `${at}: a hook of ${missed.agent} recorded nothing: ${missed.reason}`,
    })
  } catch (_) {}
  const told =
    'there is no newer Node.js on the PATH, beside conduct, or from nvm, volta, fnm, mise or asdf. Install one, and run conduct init or any hook with it once. Hooks then find it.'
  findings.push({ about: 'search', state: 'note', told: told })
  if (process.argv.indexOf('--json') > 0) console.log(JSON.stringify(findings, null, 2))
  else {
    findings.forEach((one) => {
      console.log(`${one.state}  ${`${one.about}         `.slice(0, 9)} ${one.told}`)
    })
  }
  process.exitCode = 1
}
