// The session of this browser: signing in, calling an API, and what to do when the session has ended.
import { ErrorResponse, UserManager, WebStorageStateStore } from "oidc-client-ts";

const home = `${location.origin}/`;

export const issuer = import.meta.env.VITE_ISSUER;
export const users = new UserManager({
  authority: issuer,
  client_id: import.meta.env.VITE_CLIENT_ID,
  redirect_uri: home,
  post_logout_redirect_uri: home,
  scope: "openid profile email offline_access",
  loadUserInfo: true,
  // All tabs share one session. Any number of them may refresh at once: each gets the same successor.
  userStore: new WebStorageStateStore({ store: localStorage }),
});

/** Finish a sign-in that led back here, and return the user, or null; throws if the sign-in was refused. */
export async function start() {
  const answer = new URLSearchParams(location.search);
  if (answer.has("code") || answer.has("error")) {
    const url = location.href;
    history.replaceState(null, "", home); // a reload must not send the code a second time
    await users.signinCallback(url);
  }
  return users.getUser();
}

/** Exchange the refresh token. Returns the user, or null if the session has ended; throws if no answer arrived. */
export async function renew(ended) {
  const before = await users.getUser();
  if (!before) return null;
  try {
    return await users.signinSilent();
  } catch (error) {
    if (!(error instanceof ErrorResponse) || error.error !== "invalid_grant") throw error;
    return settle(before, ended);
  }
}

/** Call `path` with the access token; if it is rejected, once more with a new one. */
export async function call(path, ended) {
  let user = await users.getUser();
  if (!user) return null;
  if (user.expired) user = await renew(ended);
  let answer = user && (await send(path, user));
  if (answer?.status === 401) {
    user = await renew(ended);
    answer = user && (await send(path, user));
  }
  return answer;
}

function send(path, user) {
  return fetch(path, { headers: { Authorization: `Bearer ${user.access_token}` } });
}

/** Only the token endpoint decides that a session has ended, and whether local data may stay (`soft_logout`). */
async function settle(refused, ended) {
  const present = await users.getUser();
  if (present?.refresh_token !== refused.refresh_token) return present; // another tab has signed in again
  const softly = await endedSoftly(refused);
  await users.removeUser();
  ended(softly);
  return null;
}

/** The library's error has no `soft_logout`, so the refused token is sent once more: it is refused again. */
async function endedSoftly({ refresh_token }) {
  const { token_endpoint } = await users.metadataService.getMetadata();
  const form = { grant_type: "refresh_token", client_id: users.settings.client_id, refresh_token };
  const answer = await fetch(token_endpoint, { method: "POST", body: new URLSearchParams(form) });
  return (await answer.json()).soft_logout === true;
}
