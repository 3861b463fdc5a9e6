// openid-client with DPoP: it also sends the nonces that the server demands.
import * as client from "openid-client";
import { ask, finish, given } from "./conversation.mjs";

const config = await client.discovery(new URL(given.issuer), given.client_id, undefined, client.None());
client.enableNonRepudiationChecks(config);
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));

const verifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: given.redirect_uri,
  scope: given.scope,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state: expectedState,
});
const back = new URL(await ask("visit", url.href));
const tokens = await client.authorizationCodeGrant(
  config, back, { pkceCodeVerifier: verifier, expectedState, idTokenExpected: true }, undefined, { DPoP },
);
const userinfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP });
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
finish({ types: [tokens.token_type, refreshed.token_type], userinfo });
