// openid-client as a device: it shows a code, and polls until its person has allowed it (RFC 8628).
import * as client from "openid-client";
import { ask, finish, given } from "./conversation.mjs";

const config = await client.discovery(new URL(given.issuer), given.client_id, undefined, client.None());
client.enableNonRepudiationChecks(config);

const codes = await client.initiateDeviceAuthorization(config, { scope: given.scope });
await ask("connect", codes.verification_uri_complete);
const tokens = await client.pollDeviceAuthorizationGrant(config, codes);
const userinfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
finish({ claims: tokens.claims(), userinfo, refreshed: refreshed.claims() });
