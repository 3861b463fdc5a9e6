// The page: what it shows, and the draft that it keeps.
import { ErrorResponse } from "oidc-client-ts";
import { call, issuer, renew, start, users } from "./session.js";

const at = (id) => document.getElementById(id);
const draft = at("draft");

function show(user, text) {
  at("status").textContent = text ?? (user ? `Signed in as ${user.profile.name ?? user.profile.sub}.` : "Signed out.");
  at("signed-in").hidden = !user;
  at("sign-in").hidden = Boolean(user);
  draft.value = localStorage.getItem("draft") ?? "";
}

/** A soft end keeps local data, for the same person; after a hard one nothing of the session may stay. */
function ended(softly) {
  if (!softly) localStorage.removeItem("draft");
  show(null, softly ? "Your session has ended. Your draft is kept: sign in again." : "You were signed out.");
}

/** Does `work`, and says so if it did not come off. A lost answer ends nothing: the next try gets the same one. */
async function attempt(work) {
  try {
    await work();
  } catch (error) {
    at("answer").textContent = `That did not work (${error.message}). Try again.`;
  }
}

async function callApi() {
  const answer = await call("/api/me", ended);
  if (answer) at("answer").textContent = JSON.stringify(await answer.json(), null, 2);
}

async function renewTokens() {
  const user = await renew(ended);
  if (user) at("answer").textContent = `New tokens, good for ${user.expires_in} seconds.`;
}

async function signOut() {
  localStorage.removeItem("draft");
  await users.signoutRedirect();
}

draft.addEventListener("input", () => localStorage.setItem("draft", draft.value));
at("password").href = `${issuer}/account/password`;
at("sign-in").addEventListener("click", () => attempt(() => users.signinRedirect()));
at("call").addEventListener("click", () => attempt(callApi));
at("renew").addEventListener("click", () => attempt(renewTokens));
at("sign-out").addEventListener("click", () => attempt(signOut));

// The library refreshes a minute before the access token ends. Only a refusal needs something done.
users.events.addSilentRenewError((error) => error instanceof ErrorResponse && attempt(renewTokens));
// A laptop that slept wakes with an expired token, and timers of hidden tabs are late.
document.addEventListener("visibilitychange", async () => {
  if (document.visibilityState === "visible" && (await users.getUser())?.expired) attempt(renewTokens);
});
// Another tab has signed in or out.
window.addEventListener("storage", async () => show(await users.getUser()));

start().then((user) => show(user), async (error) => show(await users.getUser(), `Not signed in: ${error.message}.`));
