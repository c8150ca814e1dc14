// Preloaded into the server of `npm start`: npm runs it in a shell, and a signal to that shell ends only the shell.
const { isMainThread } = require('node:worker_threads')
const parent = process.ppid
const look = () => process.ppid !== parent && process.kill(process.pid, 'SIGTERM')
if (isMainThread) setInterval(look, 500).unref()
