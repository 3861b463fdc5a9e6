"""Why a result is not `PASSED`, by the suite's name for the condition, or for the module if no condition is named."""

from collections.abc import Mapping
from typing import Final

_AUDIENCE: Final = (
    "`aud` of an assertion may be the issuer or the endpoint, also in an array (RFC 7523 §3); FAPI 2.0 wants the issuer"
    " alone, as a string. It takes a rule per client."
)
_ONLY_LOOKS: Final = (
    "The module wants a person who opens the sign-in page, leaves, and comes back; the runner's signs in at once. It"
    " takes a step of the runner."
)
_SCREENSHOT_OF_REFUSAL: Final = (
    "The suite leaves screenshots to a person. The server did not redirect, not even after its question was answered."
)

REASONS: Final[Mapping[str, str]] = {
    "ExpectSecondLoginPage": (
        "The suite leaves screenshots to a person. The password was asked again, and `auth_time` rose."
    ),
    "ExpectRedirectUriErrorPage": (
        "The suite leaves screenshots to a person. An unregistered redirect URI is answered by a page, never by a"
        " redirect (RFC 6749 §4.1.2.1)."
    ),
    "ExpectPostLogoutRedirectUriNotRegisteredErrorPage": _SCREENSHOT_OF_REFUSAL,
    "ExpectInvalidIdTokenHintErrorPage": _SCREENSHOT_OF_REFUSAL,
    "ExpectIdTokenHintRequiredErrorPage": _SCREENSHOT_OF_REFUSAL,
    "ExpectSuccessfulLogoutPage": (
        "The suite leaves screenshots to a person. The browser stayed at the server, which was asked for no redirect."
    ),
    "ExpectInvalidRequestUriErrorPage": (
        "The suite leaves screenshots to a person. A `request_uri` that was used, that has expired, or that another"
        " client pushed, is answered by a page."
    ),
    "UserInfoEndpointWithAccessTokenInBodyNotSupported": (
        "Access tokens are accepted in the `Authorization` header alone (RFC 6750 §2.2 makes the form optional). A"
        " token in a form ends up in logs."
    ),
    "VerifyScopesReturnedInUserInfoClaims": (
        "The suite warns unless a user has all standard claims. Claims that the server does not keep, such as"
        " `birthdate`, or that have no value, are left out (OpenID Connect Core §5.3.2)."
    ),
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported": (
        "Request objects are refused with `request_not_supported` (OpenID Connect Core §3.1.2.6)."
    ),
    "EnsureIdentityClaimsContainRequestedClaims": (
        "The person has no values for the others, and `preferred_username` is a confirmed e-mail address only."
    ),
    "CheckForUnexpectedClaimsInIdToken": (
        "`sid` names the session for back-channel logout (OpenID Connect Back-Channel Logout 1.0 §2.1)."
    ),
    "CheckErrorFromTokenEndpointResponseErrorInvalidGrant": (
        "A token request without `code_verifier` is refused with `invalid_request`, because a parameter is missing (RFC"
        " 6749 §5.2); the suite wants `invalid_grant` (RFC 7636 §4.6). It takes another error code."
    ),
    "EnsureHttpStatusCodeIs400or401": _AUDIENCE,
    "CheckErrorFromParEndpointResponseErrorInvalidClientOrInvalidRequest": _AUDIENCE,
    "fapi2-security-profile-final-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds": _ONLY_LOOKS,
    "ExpectLoginPage": _ONLY_LOOKS,
    "fapi2-security-profile-final-ensure-signed-client-assertion-with-RS256-fails": (
        "The clients have keys of ES256; the suite signs with RS256 only if a client has an RSA key."
    ),
}
