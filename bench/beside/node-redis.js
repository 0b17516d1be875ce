// The usual hand-written way: a key is found in Redis by its SHA-256, its row is JSON, and its scopes are compared.
import { hash, randomBytes } from "node:crypto";
import { startRedis } from "./redis.js";
import { announce, answer, bodyOf, listen, versions } from "./server.js";

const [, , directory] = process.argv;
const SCOPE = "issues:read";

const redis = await startRedis(directory);

const place = (key) => `key:${hash("sha256", key)}`;

async function verify(key, scope) {
  const text = await redis.client.get(place(key));
  if (text === null) {
    return { allowed: false, reason: "unknown" };
  }
  const row = JSON.parse(text);
  if (!row.active) {
    return { allowed: false, reason: "revoked" };
  }
  if (Date.parse(row.expires_at) <= Date.now()) {
    return { allowed: false, reason: "expired" };
  }
  if (!row.scopes.includes(scope)) {
    return { allowed: false, reason: "insufficient_scope" };
  }
  return { allowed: true, reason: "granted", key: { id: row.id, name: row.name, expires_at: row.expires_at }, owner: row.owner };
}

const { server, address } = await listen();
server.on("request", async (request, response) => {
  try {
    const { key, scope } = JSON.parse(await bodyOf(request));
    answer(response, 200, await verify(key, scope));
  } catch (error) {
    answer(response, 500, { error: String(error) });
  }
});

const newKey = () => `key_${randomBytes(32).toString("base64url")}`;
const key = newKey();
const row = {
  id: "key_1",
  name: "ci",
  owner: "person-0",
  scopes: [SCOPE, "metadata:read"],
  active: true,
  expires_at: new Date(Date.now() + 30 * 86_400_000).toISOString(),
};
await redis.client.set(place(key), JSON.stringify(row));

const ask = (key) => ({
  path: "/verify",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ key, scope: SCOPE }),
});
announce({
  address,
  helpers: [redis.pid],
  versions: [...versions("redis"), redis.version],
  right: ask(key),
  wrong: ask(newKey()),
  yes: '{"allowed":true,',
  no: '{"allowed":false,',
});
