"""Settings of access from the environment: one frozen value, checked as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from dataspoke.core.errors import ConfigError
from dataspoke.core.telemetry.listening import is_loopback

ALGORITHMS = (
    "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA".split()  # noqa: SIM905
)
"""With keys of two halves: who can check a token cannot make one."""

Switch = Literal["on", "off", "auto"]


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """Whose tokens are good. Claims may be dotted paths: `realm_access.roles`."""

    issuer: str
    audience: str
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    user_claim: str = "preferred_username"
    groups_claim: str = "groups"
    roles_claim: str = "roles"


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """How callers are known and limited. Times in seconds, sizes in bytes.

    Limits are written as `600/minute`; None is no limit. `operators` and `admins` are names of
    users, groups or roles: urns of DataHub, or as the identity provider has them.
    """

    oidc: OidcSettings | None = None
    datahub_tokens: bool = False
    token_ttl: float = 30.0
    operators: frozenset[str] = frozenset()
    admins: frozenset[str] = frozenset()
    view_authorization: bool = False
    policy_file: Path | None = None
    policies_ttl: float = 30.0
    policies_max_age: float = 300.0
    user_limit: str | None = None
    address_limit: str | None = None
    redis_url: str | None = field(default=None, repr=False)
    cache_ttl: float = 0.0
    max_body: int = 262_144
    audit_log: Path | None = None
    json_logs: bool = False
    trusted_proxies: str = ""

    @property
    def authenticates(self) -> bool:
        """Whether callers must say who they are."""
        return self.oidc is not None or self.datahub_tokens

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> AccessSettings:
        """Read the DATASPOKE_* variables of docs/security.md. Raises ConfigError."""
        read = _Reader(environ)
        oidc, tokens = _oidc(read), read.switch("DATAHUB_TOKENS", "off", ("on", "off")) == "on"
        known = oidc is not None or tokens
        policy_file = read.path("POLICY_FILE")
        view = read.switch("VIEW_AUTHORIZATION", "auto", ("on", "off", "auto"))
        if not known and (view == "on" or policy_file):
            name = "VIEW_AUTHORIZATION=on" if view == "on" else "POLICY_FILE"
            raise ConfigError(
                f"Cannot use DATASPOKE_{name}: nobody is asked who they are. Set "
                "DATASPOKE_DATAHUB_TOKENS=on or DATASPOKE_OIDC_ISSUER as well."
            )
        if policy_file and view == "on":
            raise ConfigError(
                "Cannot use DATASPOKE_POLICY_FILE and DATASPOKE_VIEW_AUTHORIZATION=on together: "
                "one of them decides what callers see. Unset one."
            )
        return cls(
            oidc=oidc,
            datahub_tokens=tokens,
            token_ttl=read.number("TOKEN_TTL", 30.0, least=0.0, most=3600.0),
            operators=frozenset(read.names("OPERATORS")),
            admins=frozenset(read.names("ADMINS")),
            view_authorization=view == "on" or (view == "auto" and known and not policy_file),
            policy_file=policy_file,
            policies_ttl=read.number("POLICIES_TTL", 30.0, least=0.1, most=3600.0),
            policies_max_age=read.number("POLICIES_MAX_AGE", 300.0, least=1.0, most=86_400.0),
            user_limit=read.limit("RATE_LIMIT", "600/minute" if known else None),
            address_limit=read.limit("RATE_LIMIT_ADDRESS", "1200/minute" if known else None),
            redis_url=read.text("REDIS_URL") or None,
            cache_ttl=read.number("CACHE_TTL", 0.0, least=0.0, most=3600.0),
            max_body=int(read.number("MAX_BODY", 262_144, least=1024, most=16_777_216)),
            audit_log=read.path("AUDIT_LOG"),
            json_logs=read.switch("LOG_FORMAT", "text", ("text", "json")) == "json",
            trusted_proxies=read.text("TRUSTED_PROXIES"),
        )


class _Reader:
    """Variables by their name without DATASPOKE_; each answers or raises ConfigError."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str = "") -> str:
        return (self._environ.get(f"DATASPOKE_{name}") or "").strip() or default

    def names(self, name: str, default: str = "") -> tuple[str, ...]:
        return tuple(one for part in self.text(name, default).split(",") if (one := part.strip()))

    def path(self, name: str) -> Path | None:
        text = self.text(name)
        return Path(text).expanduser() if text else None

    def switch(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        text = self.text(name, default).lower()
        if text not in allowed:
            raise self.wrong(name, text, f"it is none of {', '.join(allowed)}", allowed[0])
        return text

    def number(self, name: str, default: float, *, least: float, most: float) -> float:
        text = self.text(name)
        try:
            number = float(text) if text else default
        except ValueError:
            number = float("nan")
        if not least <= number <= most:
            reason = f"it is no number between {least:g} and {most:g}"
            raise self.wrong(name, text, reason, f"{default:g}")
        return number

    def limit(self, name: str, default: str | None) -> str | None:
        text = self.text(name, default or "off")
        if text == "off":
            return None
        count, _, unit = text.partition("/")
        if not count.isdecimal() or int(count) < 1 or unit not in ("second", "minute", "hour"):
            raise self.wrong(name, text, "it is no limit", "600/minute, or off")
        return text

    def wrong(self, name: str, text: str, reason: str, example: str) -> ConfigError:
        return ConfigError(
            f"Cannot use DATASPOKE_{name} = {text!r}: {reason}. Write it like {example}."
        )


def _oidc(read: _Reader) -> OidcSettings | None:
    issuer, audience = read.text("OIDC_ISSUER"), read.text("OIDC_AUDIENCE")
    if not issuer and not audience:
        return None
    if not issuer or not audience:
        raise ConfigError(
            "Cannot check tokens: DATASPOKE_OIDC_ISSUER and DATASPOKE_OIDC_AUDIENCE go together. "
            "Set the audience to what your identity provider writes into `aud` for this service."
        )
    check_url("DATASPOKE_OIDC_ISSUER", issuer)
    algorithms = read.names("OIDC_ALGORITHMS", "RS256,ES256")
    for name in algorithms:
        if name not in ALGORITHMS:
            raise read.wrong(
                "OIDC_ALGORITHMS", name, f"it is none of {', '.join(ALGORITHMS)}", "RS256,ES256"
            )
    return OidcSettings(
        issuer,
        audience,
        algorithms,
        read.text("OIDC_USER_CLAIM", "preferred_username"),
        read.text("OIDC_GROUPS_CLAIM", "groups"),
        read.text("OIDC_ROLES_CLAIM", "roles"),
    )


def check_url(name: str, url: str) -> None:
    """Raises ConfigError unless it is https, or http on this machine."""
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (
        parts.scheme == "http" and is_loopback(parts.hostname or "")
    )
    if not secure or not parts.hostname:
        raise ConfigError(
            f"Cannot use {name} = {url!r}: whoever stands between could forge keys. "
            "Use an https URL."
        )
