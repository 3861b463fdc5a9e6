// openid-client, as its README uses it: a confidential client with every call that it has for one.
import * as client from "openid-client";
import { ask, finish, given } from "./conversation.mjs";

const config = await client.discovery(new URL(given.issuer), given.client_id, given.client_secret);

// Also check the signatures of ID tokens, which came over TLS.
client.enableNonRepudiationChecks(config);

const verifier = client.randomPKCECodeVerifier();
const checks = { pkceCodeVerifier: verifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() };
const build = given.pushes ? client.buildAuthorizationUrlWithPAR : client.buildAuthorizationUrl;
const url = await build(config, {
  redirect_uri: given.redirect_uri,
  scope: given.scope,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state: checks.expectedState,
  nonce: checks.expectedNonce,
});
const back = new URL(await ask("visit", url.href));
const tokens = await client.authorizationCodeGrant(config, back, { ...checks, idTokenExpected: true });
const userinfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
const before = await client.tokenIntrospection(config, refreshed.access_token);
await client.tokenRevocation(config, refreshed.refresh_token);
const after = await client.tokenIntrospection(config, refreshed.access_token);
const logout = client.buildEndSessionUrl(config, {
  post_logout_redirect_uri: given.goodbye,
  id_token_hint: refreshed.id_token,
  state: "bye",
});
finish({
  id_token: tokens.id_token,
  claims: tokens.claims(),
  refreshed: refreshed.claims(),
  userinfo,
  before,
  after,
  goodbye: await ask("visit", logout.href),
});
