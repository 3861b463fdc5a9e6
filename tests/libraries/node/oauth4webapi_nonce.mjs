// oauth4webapi with DPoP where the server demands nonces: each request is made again when the library says so.
import * as oauth from "oauth4webapi";
import { ask, finish, given } from "./conversation.mjs";

const issuer = new URL(given.issuer);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
const client = { client_id: given.client_id };
const DPoP = oauth.DPoP(client, await oauth.generateKeyPair("ES256"));
let demanded = 0;

async function attempt(send, read) {
  try {
    return await read(await send());
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    demanded += 1;
    return await read(await send());
  }
}

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
  state,
})) {
  url.searchParams.set(name, value);
}
const parameters = oauth.validateAuthResponse(server, client, new URL(await ask("visit", url.href)), state);
const tokens = await attempt(
  () => oauth.authorizationCodeGrantRequest(
    server, client, oauth.None(), parameters, given.redirect_uri, verifier, { DPoP },
  ),
  (response) => oauth.processAuthorizationCodeResponse(server, client, response),
);
const claims = oauth.getValidatedIdTokenClaims(tokens);
const userinfo = await attempt(
  () => oauth.userInfoRequest(server, client, tokens.access_token, { DPoP }),
  (response) => oauth.processUserInfoResponse(server, client, claims.sub, response),
);
const refreshed = await attempt(
  () => oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh_token, { DPoP }),
  (response) => oauth.processRefreshTokenResponse(server, client, response),
);
finish({ types: [tokens.token_type, refreshed.token_type], userinfo, demanded });
