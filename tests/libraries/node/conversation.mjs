// The script's side of tests/support/wire/node.py.
import { createInterface } from "node:readline";

export const given = JSON.parse(process.argv[2]);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Ask the test for something, and wait for its answer. */
export async function ask(name, value) {
  process.stdout.write(JSON.stringify({ ask: name, value }) + "\n");
  return JSON.parse((await lines.next()).value);
}

/** Say what came of it, and end. */
export function finish(done) {
  process.stdout.write(JSON.stringify({ done }) + "\n", () => process.exit(0));
}
