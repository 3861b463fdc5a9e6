// oauth4webapi with a key of its own: a pushed request, the code, a refresh, and a token of the client's own.
import * as oauth from "oauth4webapi";
import { ask, finish, given } from "./conversation.mjs";

const issuer = new URL(given.issuer);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
const { privateKey, publicKey } = await oauth.generateKeyPair("ES256", { extractable: true });
const jwk = { ...(await crypto.subtle.exportKey("jwk", publicKey)), kid: "k" };
const client = { client_id: await ask("register", { keys: [jwk] }) };
const proof = oauth.PrivateKeyJwt({ key: privateKey, kid: "k" });

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const request = {
  redirect_uri: given.redirect_uri,
  response_type: "code",
  scope: given.scope,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
};
const pushed = await oauth.processPushedAuthorizationResponse(
  server, client, await oauth.pushedAuthorizationRequest(server, client, proof, request),
);
const url = new URL(server.authorization_endpoint);
url.searchParams.set("client_id", client.client_id);
url.searchParams.set("request_uri", pushed.request_uri);
const parameters = oauth.validateAuthResponse(server, client, new URL(await ask("visit", url.href)), state);
const exchanged = await oauth.authorizationCodeGrantRequest(
  server, client, proof, parameters, given.redirect_uri, verifier,
);
const tokens = await oauth.processAuthorizationCodeResponse(server, client, exchanged, { requireIdToken: true });
const claims = oauth.getValidatedIdTokenClaims(tokens);
const renewed = await oauth.refreshTokenGrantRequest(server, client, proof, tokens.refresh_token);
await oauth.processRefreshTokenResponse(server, client, renewed);
const granted = await oauth.clientCredentialsGrantRequest(server, client, proof, { scope: "profile" });
const own = await oauth.processClientCredentialsResponse(server, client, granted);
const shown = await oauth.introspectionRequest(server, client, proof, own.access_token);
finish({ claims, own, introspected: await oauth.processIntrospectionResponse(server, client, shown) });
