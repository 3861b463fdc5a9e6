// oauth4webapi: each request made, and each answer checked, by a call of its own.
import * as oauth from "oauth4webapi";
import { ask, finish, given } from "./conversation.mjs";

const issuer = new URL(given.issuer);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
const client = { client_id: given.client_id, ...given.metadata };
const secret = given.client_secret ? oauth.ClientSecretBasic(given.client_secret) : oauth.None();

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const nonce = oauth.generateRandomNonce();
const url = new URL(server.authorization_endpoint);
for (const [name, value] of Object.entries({
  client_id: client.client_id,
  redirect_uri: given.redirect_uri,
  response_type: "code",
  scope: given.scope,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
})) {
  url.searchParams.set(name, value);
}
const back = new URL(await ask("visit", url.href));
const parameters = oauth.validateAuthResponse(server, client, back, state);
const exchanged = await oauth.authorizationCodeGrantRequest(
  server, client, secret, parameters, given.redirect_uri, verifier,
);
const tokens = await oauth.processAuthorizationCodeResponse(server, client, exchanged, {
  expectedNonce: nonce,
  requireIdToken: true,
});
await oauth.validateApplicationLevelSignature(server, exchanged);
const claims = oauth.getValidatedIdTokenClaims(tokens);

const told = await oauth.userInfoRequest(server, client, tokens.access_token);
const userinfo = await oauth.processUserInfoResponse(server, client, claims.sub, told);
const renewed = await oauth.refreshTokenGrantRequest(server, client, secret, tokens.refresh_token);
const refreshed = await oauth.processRefreshTokenResponse(server, client, renewed);
const introspect = async () =>
  oauth.processIntrospectionResponse(
    server, client, await oauth.introspectionRequest(server, client, secret, refreshed.access_token),
  );
const before = given.client_secret ? await introspect() : undefined;
await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, client, secret, refreshed.refresh_token),
);
const after = given.client_secret ? await introspect() : undefined;
finish({ claims, userinfo, before, after });
