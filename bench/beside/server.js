// What every server here does beside its job: it listens on a spare port of the loopback interface, says in one line of
// JSON how it is asked, and ends when whoever started it lets go of its input.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const ends = [];

/** Has `end` called before this process ends. */
export function atEnd(end) {
  ends.push(end);
}

/** A server that listens and answers nothing yet, and its address. */
export async function listen() {
  const server = createServer();
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", 1024, resolve);
  });
  return { server, address: `127.0.0.1:${server.address().port}` };
}

/** Says that the server is ready: its address, what it is asked with a right and with a wrong key, how the answers begin. */
export function announce(said) {
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

/** Versions of installed packages, and of Node itself. */
export function versions(...names) {
  const found = [`node ${process.versions.node}`];
  for (const name of names) {
    const manifest = new URL(`./node_modules/${name}/package.json`, import.meta.url);
    found.push(`${name} ${JSON.parse(readFileSync(manifest, "utf8")).version}`);
  }
  return found;
}

/** The text of a request's body. */
export function bodyOf(request) {
  return new Promise((resolve, reject) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => resolve(text));
    request.on("error", reject);
  });
}

/** Answers with JSON. */
export function answer(response, status, value) {
  const text = JSON.stringify(value);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}

async function stop() {
  await Promise.allSettled(ends.map((end) => end()));
  process.exit(0);
}

process.stdin.resume();
process.stdin.once("end", stop);
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
