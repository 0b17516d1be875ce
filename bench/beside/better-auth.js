// better-auth's API-key plugin, in one of two of its storage modes: `database`, its default, on SQLite; or
// `secondary-storage` on Redis, which its documentation calls the one for high performance, with its updates after the answer.
// Verifying is a function of its server and no route, so that an endpoint of a few lines calls it.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { apiKey } from "@better-auth/api-key";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import Database from "better-sqlite3";
import { startRedis } from "./redis.js";
import { announce, answer, bodyOf, listen, versions } from "./server.js";

const [, , directory, storage] = process.argv;
const PERMISSIONS = { issues: ["read"] };

const database = new Database(join(directory, "auth.db"));
// As better-sqlite3 recommends for servers; with it, an update waits for no disk.
database.pragma("journal_mode = WAL");
database.pragma("synchronous = NORMAL");

const redis = storage === "redis" ? await startRedis(directory) : undefined;
const inRedis = redis && {
  secondaryStorage: {
    get: (key) => redis.client.get(key),
    set: (key, value, ttl) => redis.client.set(key, value, ttl ? { EX: ttl } : undefined),
    delete: (key) => redis.client.del(key),
  },
};

const { server, address } = await listen();
const auth = betterAuth({
  baseURL: `http://${address}`,
  secret: randomBytes(32).toString("base64url"),
  database,
  ...inRedis,
  emailAndPassword: { enabled: true },
  logger: { disabled: true },
  telemetry: { enabled: false },
  rateLimit: { enabled: false },
  // A server that goes on running has nothing to do for a task but to let it end.
  advanced: { backgroundTasks: { handler: (task) => void task } },
  plugins: [
    apiKey({
      rateLimit: { enabled: false },
      ...(redis && { storage: "secondary-storage", deferUpdates: true }),
    }),
  ],
});
await (await getMigrations(auth.options)).runMigrations();

const person = { name: "Person 0", email: "person-0@example.com", password: randomBytes(16).toString("base64url") };
const { user } = await auth.api.signUpEmail({ body: person });
const made = await auth.api.createApiKey({
  body: { userId: user.id, name: "ci", permissions: PERMISSIONS, expiresIn: 30 * 86_400 },
});

server.on("request", async (request, response) => {
  try {
    const { key, permissions } = JSON.parse(await bodyOf(request));
    answer(response, 200, await auth.api.verifyApiKey({ body: { key, permissions } }));
  } catch (error) {
    answer(response, 500, { error: String(error) });
  }
});

const ask = (key) => ({
  path: "/verify",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ key, permissions: PERMISSIONS }),
});
const names = ["better-auth", "@better-auth/api-key"];
announce({
  address,
  helpers: redis ? [redis.pid] : [],
  versions: redis ? [...versions(...names, "redis"), redis.version] : versions(...names, "better-sqlite3"),
  right: ask(made.key),
  wrong: ask(`${made.key.slice(0, -8)}${"x".repeat(8)}`),
  yes: '{"valid":true,',
  no: '{"valid":false,',
});
