// The conversation with the test, one JSON object a line. It begins with the task; then we name pages that a person should
// visit, and are told where the browser was sent back to; our findings come last.
import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

async function read() {
  return JSON.parse((await lines.next()).value)
}

function write(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

async function visit(decision, url) {
  write({ visit: String(url), decision })
  return new URL((await read()).back)
}

export const task = await read()

export const approve = (url) => visit('approve', url)

export const deny = (url) => visit('deny', url)

export function report(findings) {
  write({ findings })
  process.stdin.destroy()
}
