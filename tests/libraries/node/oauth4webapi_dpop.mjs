// oauth4webapi with DPoP: each request brings a proof, and each token is shown by the scheme DPoP.
import * as oauth from "oauth4webapi";
import { ask, finish, given } from "./conversation.mjs";

const issuer = new URL(given.issuer);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
const client = { client_id: given.client_id };
const DPoP = oauth.DPoP(client, await oauth.generateKeyPair("ES256"));
const stranger = oauth.DPoP(client, await oauth.generateKeyPair("ES256"));

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const url = new URL(server.authorization_endpoint);
for (const [name, value] of Object.entries({
  client_id: client.client_id,
  redirect_uri: given.redirect_uri,
  response_type: "code",
  scope: given.scope,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  dpop_jkt: await DPoP.calculateThumbprint(),
  state,
})) {
  url.searchParams.set(name, value);
}
const parameters = oauth.validateAuthResponse(server, client, new URL(await ask("visit", url.href)), state);
const exchanged = await oauth.authorizationCodeGrantRequest(
  server, client, oauth.None(), parameters, given.redirect_uri, verifier, { DPoP },
);
const tokens = await oauth.processAuthorizationCodeResponse(server, client, exchanged);
const claims = oauth.getValidatedIdTokenClaims(tokens);
const told = await oauth.userInfoRequest(server, client, tokens.access_token, { DPoP });
const userinfo = await oauth.processUserInfoResponse(server, client, claims.sub, told);
const refresh = async (options) =>
  oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh_token, options);
const refused = [(await refresh({ DPoP: stranger })).status, (await refresh({})).status];
const refreshed = await oauth.processRefreshTokenResponse(server, client, await refresh({ DPoP }));
finish({ types: [tokens.token_type, refreshed.token_type], userinfo, refused });
