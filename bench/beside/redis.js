// A Redis of one's own: on a Unix socket, without persistence, gone with the process that started it.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createClient } from "redis";
import { atEnd } from "./server.js";

// 10 seconds.
const TRIES = 100;
const PAUSE_MS = 100;

/** Starts it with its files in `directory`; a connected client, the process, and the version. */
export async function startRedis(directory) {
  const path = join(directory, "redis.sock");
  const settings = ["--port", "0", "--unixsocket", path, "--unixsocketperm", "700", "--dir", directory];
  const quiet = ["--save", "", "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning"];
  const child = spawn("redis-server", [...settings, ...quiet], { stdio: ["ignore", "ignore", "inherit"] });
  const gone = new Promise((resolve) => {
    child.once("exit", resolve);
    child.once("error", resolve);
  });
  // Also when this process ends by an error of its own.
  process.once("exit", () => child.kill());
  atEnd(() => {
    child.kill();
    return gone;
  });
  const reconnectStrategy = (tries) => (tries < TRIES ? PAUSE_MS : new Error(`redis-server does not answer on ${path}`));
  const client = createClient({ socket: { path, reconnectStrategy } });
  client.on("error", () => {});
  await Promise.race([
    client.connect(),
    gone.then((why) => {
      throw new Error(`redis-server ended: ${why}`);
    }),
  ]);
  const version = /redis_version:(\S+)/.exec(await client.info("server"))?.[1];
  return { client, pid: child.pid, version: `redis-server ${version}` };
}
