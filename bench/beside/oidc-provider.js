// oidc-provider: an opaque access token from the client credentials grant, asked about by introspection (RFC 7662). With the
// adapter it comes with, in memory: whoever runs it for real writes one that asks a database, which is not faster.
import { generateKeyPairSync, randomBytes } from "node:crypto";

// It warns at start of what a trial may do.
console.warn = () => {};
console.info = () => {};
const { default: Provider } = await import("oidc-provider");
const { announce, listen, versions } = await import("./server.js");

const SCOPE = "issues:read";

const secret = () => randomBytes(32).toString("base64url");
const client = (id, fields) => ({
  client_id: id,
  client_secret: secret(),
  redirect_uris: [],
  response_types: [],
  grant_types: [],
  ...fields,
});
// Who calls, and the gateway that asks.
const caller = client("caller", { grant_types: ["client_credentials"], scope: SCOPE });
const gateway = client("gateway");

const { server, address } = await listen();
const issuer = `http://${address}`;
const provider = new Provider(issuer, {
  clients: [caller, gateway],
  scopes: [SCOPE],
  cookies: { keys: [secret()] },
  jwks: { keys: [generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" })] },
  ttl: { ClientCredentials: 30 * 86_400 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: (_, asking) => asking.clientId === gateway.client_id },
  },
});
server.on("request", provider.callback());

const form = ({ client_id, client_secret }) => ({
  authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}`,
  "content-type": "application/x-www-form-urlencoded",
});
const reply = await fetch(`${issuer}/token`, {
  method: "POST",
  headers: form(caller),
  body: new URLSearchParams({ grant_type: "client_credentials", scope: SCOPE }),
});
const granted = await reply.json();
if (!reply.ok) {
  throw new Error(`no token: ${JSON.stringify(granted)}`);
}

const ask = (token) => ({
  path: "/token/introspection",
  headers: form(gateway),
  body: new URLSearchParams({ token, token_type_hint: "access_token" }).toString(),
});
announce({
  address,
  helpers: [],
  versions: versions("oidc-provider"),
  right: ask(granted.access_token),
  wrong: ask(secret()),
  yes: '{"active":true,',
  no: '{"active":false',
});
