// openid-client with a key of its own: a pushed request, the code, a refresh, and a token of the client's own.
import * as client from "openid-client";
import { ask, finish, given } from "./conversation.mjs";

const { privateKey, publicKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
const jwk = { ...(await crypto.subtle.exportKey("jwk", publicKey)), kid: "k" };
const clientId = await ask("register", { keys: [jwk] });
const proof = client.PrivateKeyJwt({ key: privateKey, kid: "k" });
const config = await client.discovery(new URL(given.issuer), clientId, undefined, proof);
client.enableNonRepudiationChecks(config);

const verifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const url = await client.buildAuthorizationUrlWithPAR(config, {
  redirect_uri: given.redirect_uri,
  scope: given.scope,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state: expectedState,
});
const back = new URL(await ask("visit", url.href));
const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState, idTokenExpected: true });
await client.refreshTokenGrant(config, tokens.refresh_token);
const own = await client.clientCredentialsGrant(config, { scope: "profile" });
const introspected = await client.tokenIntrospection(config, own.access_token);
finish({ claims: tokens.claims(), own, introspected });
