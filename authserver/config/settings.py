"""Every setting with its type, default and bounds, and the rules between settings."""

from collections.abc import Mapping
from datetime import timedelta
from email.headerregistry import Address
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from authserver.branding.brand import DEFAULT_ACCENT
from authserver.config.values import (
    LONGEST,
    AccentColour,
    DatabaseUrl,
    Folder,
    Hosts,
    Issuer,
    Length,
    LimitsUrl,
    Link,
    LoginLimits,
    LogoFile,
    Networks,
    NoMetrics,
    Policy,
    ProductName,
    Resources,
    Scopes,
    ScopeWords,
    Sender,
    SmtpUrl,
    seconds,
)
from authserver.credentials.password_policy import DEFAULT_MINIMUM, LARGEST_MINIMUM, LEAST_MINIMUM
from authserver.protocol.limits import (
    ACCESS_TOKEN_LIFETIME,
    JWKS_MAX_AGE,
    LEEWAY,
    LONGEST_ACCESS_TOKEN_LIFETIME,
    REST_MARGIN,
    SECOND,
    SHORTEST_LIFETIME,
)
from authserver.protocol.secret import Secret
from authserver.revocation.policy import RevocationPolicy
from authserver.sessions.lifetimes import longest_silence

PREFIX: Final = "AUTHSERVER_"
_MARGIN: Final = REST_MARGIN // SECOND
_SHORTEST: Final = SHORTEST_LIFETIME // SECOND
_LONGEST_ACCESS_TOKEN: Final = LONGEST_ACCESS_TOKEN_LIFETIME // SECOND


class Settings(BaseSettings):
    """All settings of one installation, checked one by one and against each other. docs/configuration.md explains them.

    The order of the fields matters: the check of a field may use earlier fields.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        validate_default=True,
        hide_input_in_errors=True,
    )

    issuer: Issuer = "http://127.0.0.1:8000"
    home: Folder = Path("var")
    database_url: DatabaseUrl = Field(
        default_factory=lambda known: Secret(f"sqlite:///{quote(str(known['home']))}/authserver.db")
    )
    prepared_statements: Literal["on", "off"] = "on"
    keys_dir: Folder = Path("keys")

    access_token_lifetime: Annotated[timedelta, BeforeValidator(seconds(_SHORTEST, _LONGEST_ACCESS_TOKEN))] = (
        ACCESS_TOKEN_LIFETIME
    )
    default_audience: Annotated[str, Field(min_length=1, pattern=r"^\S+$")] = Field(
        default_factory=lambda known: f"{known['issuer']}/api"
    )
    refresh_idle_lifetime: Annotated[timedelta, BeforeValidator(seconds(_SHORTEST, LONGEST))] = timedelta(days=7)
    refresh_absolute_lifetime: Annotated[timedelta, BeforeValidator(seconds(_SHORTEST, LONGEST))] = timedelta(days=90)
    refresh_retry_window: Length = Field(
        default_factory=lambda known: min(timedelta(seconds=60), _longest_retry_window(known))
    )
    refresh_late_retry_window: Length = Field(
        default_factory=lambda known: min(timedelta(days=1), known["refresh_idle_lifetime"])
    )
    max_sessions_per_user: Annotated[int, Field(ge=1, le=10_000)] = 100
    reauthentication_age: Annotated[timedelta, BeforeValidator(seconds(60, LONGEST))] = timedelta(minutes=15)

    registration: Literal["closed", "open"] = "closed"
    require_verified_email: bool = True
    password_min_length: Annotated[int, Field(ge=LEAST_MINIMUM, le=LARGEST_MINIMUM)] = DEFAULT_MINIMUM

    revocation_policy: Policy = RevocationPolicy()
    dpop_nonce: Literal["off", "required"] = "off"

    jwks_max_age: Annotated[timedelta, BeforeValidator(seconds(0, 86_400))] = JWKS_MAX_AGE
    key_rotation_interval: Length = timedelta(0)
    key_retire_after: Length = Field(
        default_factory=lambda known: known["access_token_lifetime"] + LEEWAY + known["jwks_max_age"]
    )

    workers: Annotated[int, Field(ge=1, le=512)] | None = None
    threads: Annotated[int, Field(ge=1, le=512)] = 24
    keep_alive: Annotated[timedelta, BeforeValidator(seconds(1, 3600))] = timedelta(seconds=75)
    trusted_proxies: Networks = ()
    private_hosts: Hosts = ()
    dynamic_registration: Literal["off", "initial-access-token"] = "off"
    client_id_metadata_documents: Literal["off", "on"] = "off"
    client_id_metadata_hosts: Hosts = ()
    client_id_metadata_scopes: Scopes = ("openid", "profile", "email", "offline_access")
    client_id_metadata_resources: Resources = ()
    limits_url: LimitsUrl = Secret("memory")
    login_limits: LoginLimits = "10 per 10 minutes; 100 per day"

    smtp_url: SmtpUrl = None
    mail_from: Sender = None

    product_name: ProductName = "authserver"
    logo: LogoFile = None
    accent_colour: AccentColour = DEFAULT_ACCENT
    support_url: Link = None
    privacy_url: Link = None
    terms_url: Link = None
    scope_texts: ScopeWords = Field(default_factory=dict)

    audit_retention: Annotated[timedelta, BeforeValidator(seconds(86_400, LONGEST))] = timedelta(days=365)
    log_format: Literal["text", "json"] | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    access_log: Literal["off", "on"] = "off"
    metrics: NoMetrics = "off"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use the environment first, then the file that `load_settings` has read; no other source."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @field_validator("default_audience")
    @classmethod
    def _is_not_the_issuer(cls, value: str, info: ValidationInfo) -> str:
        if value == info.data.get("issuer"):
            # Otherwise a token for any API would open the account API, which expects the issuer in `aud`.
            raise ValueError("must differ from AUTHSERVER_ISSUER")
        return value

    @field_validator("refresh_absolute_lifetime")
    @classmethod
    def _is_not_below_idle(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        return _not_below(value, "refresh_idle_lifetime", info)

    @field_validator("refresh_idle_lifetime")
    @classmethod
    def _outlasts_the_shortest_rest(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        lifetime = info.data.get("access_token_lifetime")
        if lifetime is not None and value < longest_silence(timedelta(0), lifetime):
            raise ValueError(f"must be at least {PREFIX}ACCESS_TOKEN_LIFETIME + {_MARGIN}")
        return value

    @field_validator("refresh_retry_window")
    @classmethod
    def _leaves_time_to_refresh(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        known = info.data
        if known.keys() >= {"refresh_idle_lifetime", "access_token_lifetime"} and value > _longest_retry_window(known):
            raise ValueError(
                f"must not be above {PREFIX}REFRESH_IDLE_LIFETIME - {PREFIX}ACCESS_TOKEN_LIFETIME - {_MARGIN}: a family"
                f" rests for the window + {_MARGIN} seconds, and its last access token must end before it falls idle"
            )
        return value

    @field_validator("refresh_late_retry_window")
    @classmethod
    def _is_not_above_idle(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        idle = info.data.get("refresh_idle_lifetime")
        if idle is not None and value > idle:
            raise ValueError(f"must not be above {PREFIX}REFRESH_IDLE_LIFETIME")
        return value

    @field_validator("key_rotation_interval")
    @classmethod
    def _is_off_or_above_max_age(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        # A key may sign only after every verifier can have fetched it.
        return value if not value else _not_below(value, "jwks_max_age", info)

    @field_validator("key_retire_after")
    @classmethod
    def _outlives_every_token(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        lifetime = info.data.get("access_token_lifetime")
        if lifetime is not None and value < lifetime + LEEWAY:
            leeway = LEEWAY // SECOND
            raise ValueError(f"must be at least {PREFIX}ACCESS_TOKEN_LIFETIME + {leeway}, or valid tokens are refused")
        return value

    @field_validator("mail_from")
    @classmethod
    def _is_set_where_mail_is_sent(cls, value: Address | None, info: ValidationInfo) -> Address | None:
        if value is None and info.data.get("smtp_url") is not None:
            raise ValueError(f"is required with {PREFIX}SMTP_URL")
        return value

    @property
    def uses_sqlite(self) -> bool:
        """Whether the database is the embedded one."""
        return self.database_url.reveal().startswith("sqlite")


def _longest_retry_window(known: Mapping[str, Any]) -> timedelta:
    """The longest retry window for which the idle lifetime is not below `longest_silence`."""
    idle: timedelta = known["refresh_idle_lifetime"]
    return idle - longest_silence(timedelta(0), known["access_token_lifetime"])


def _not_below(value: timedelta, other: str, info: ValidationInfo) -> timedelta:
    bound = info.data.get(other)
    if bound is not None and value < bound:
        raise ValueError(f"must be at least {PREFIX}{other.upper()}")
    return value
