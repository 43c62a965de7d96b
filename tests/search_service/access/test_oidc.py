from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from oidc_issuer import AUDIENCE, Issuer

from dataspoke.core.errors import ConfigError, RetriableError
from dataspoke.core.hub.permissions import Memberships
from dataspoke.search_service.access.authenticate import Authenticator
from dataspoke.search_service.access.caller import Caller, Level, UnauthenticatedError
from dataspoke.search_service.access.oidc import KEYS_MAX_AGE_S, Keys, OidcVerifier
from dataspoke.search_service.access.settings import AccessSettings

NOBODY = Memberships(frozenset(), frozenset())


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def provider() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def issuer(provider: Issuer) -> Issuer:
    provider.down, provider.name, provider.requests = False, provider.url, {}
    return provider


@pytest.fixture
def clock() -> Clock:
    return Clock()


def authenticator(issuer: Issuer, clock: Clock, **environ: str) -> Authenticator:
    settings = AccessSettings.from_env(
        {"DATASPOKE_OIDC_ISSUER": issuer.url, "DATASPOKE_OIDC_AUDIENCE": AUDIENCE, **environ}
    )
    assert settings.oidc
    verifier = OidcVerifier(settings.oidc, Keys(issuer.url, clock=clock))
    return Authenticator(
        settings, oidc=verifier, owner=None, memberships=lambda user: NOBODY, clock=clock
    )


def test_a_good_token_names_its_caller(issuer: Issuer, clock: Clock) -> None:
    checks = authenticator(
        issuer,
        clock,
        DATASPOKE_OPERATORS="platform",
        DATASPOKE_OIDC_ROLES_CLAIM="realm_access.roles",
    )
    token = issuer.token(groups=["platform", "urn:li:corpGroup:fake"], realm_access={"roles": "r"})
    assert checks.check(token) == Caller(
        "urn:li:corpuser:ann",
        "urn:li:corpuser:ann",
        frozenset({"platform"}),
        frozenset({"r"}),
        Level.OPERATOR,
    )


def other_key(issuer: Issuer) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": next(iter(issuer.keys))})


def unsigned(issuer: Issuer) -> str:
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    return jwt.encode(claims, None, algorithm="none")


def signed_with_the_public_key(issuer: Issuer) -> str:
    """The classic confusion: the public key taken for a shared secret."""
    [(name, key)] = issuer.keys.items()
    secret = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})

    def part(value: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    message = part({"alg": "HS256", "typ": "JWT", "kid": name}) + b"." + part(claims)
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        message, secret
    )
    return (message + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda i: i.token(exp=int(time.time()) - 60), "has expired"),
        (lambda i: i.token(nbf=int(time.time()) + 600), "not valid yet"),
        (lambda i: i.token(exp=None), "lacks exp"),
        (lambda i: i.token(sub=None), "lacks exp, iss, aud or sub"),
        (lambda i: i.token(aud="another"), "another audience"),
        (lambda i: i.token(aud=None), "lacks"),
        (lambda i: i.token(iss="https://elsewhere"), "another issuer"),
        (lambda i: i.token(alg="RS512"), "algorithm is not allowed"),
        (lambda i: i.token(preferred_username=None), "names no user"),
        (lambda i: i.token(preferred_username=["ann"]), "names no user"),
        (lambda i: i.token(preferred_username="an\nn"), "names no user"),
        (other_key, "signature is wrong"),
        (unsigned, "algorithm is not allowed"),
        (signed_with_the_public_key, "algorithm is not allowed"),
        (lambda i: i.token()[:-8] + "AAAAAAAA", "signature is wrong"),
        (lambda i: "no.jwt.here", "no JWT"),
        (lambda i: "x" * 20_000, "too long"),
        (lambda i: "\udcff", "no JWT"),
    ],
)
def test_a_bad_token_is_refused(issuer: Issuer, clock: Clock, make: Any, says: str) -> None:
    with pytest.raises(UnauthenticatedError, match=says) as refused:
        authenticator(issuer, clock).check(make(issuer))
    assert refused.value.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_new_key_is_found_and_a_withdrawn_one_ends(issuer: Issuer, clock: Clock) -> None:
    checks = authenticator(issuer, clock)
    old = issuer.token()
    checks.check(old)
    issuer.rotate("second")
    clock.now += 10
    checks.check(issuer.token("bob"))
    clock.now += 31  # what is remembered of the old token has ended by now
    with pytest.raises(UnauthenticatedError, match="no such key"):
        checks.check(old)


def test_invented_keys_do_not_press_the_provider(issuer: Issuer, clock: Clock) -> None:
    checks = authenticator(issuer, clock)
    checks.check(issuer.token())
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    [key] = issuer.keys.values()
    for number in range(20):
        forged = jwt.encode(claims, key, algorithm="RS256", headers={"kid": f"k{number}"})
        with pytest.raises(UnauthenticatedError):
            checks.check(forged)
    assert issuer.requests["/keys"] <= 2


def test_without_fresh_keys_nobody_comes_in(issuer: Issuer, clock: Clock) -> None:
    checks = authenticator(issuer, clock)
    checks.check(issuer.token())
    issuer.down = True
    clock.now += KEYS_MAX_AGE_S + 1
    with pytest.raises(RetriableError, match="Cannot check tokens"):
        checks.check(issuer.token("bob"))


def test_a_provider_of_another_name_is_refused(issuer: Issuer, clock: Clock) -> None:
    issuer.name = "https://elsewhere.example"
    with pytest.raises(ConfigError, match="calls itself 'https://elsewhere"):
        authenticator(issuer, clock).check(issuer.token())


@pytest.mark.parametrize(
    "environ",
    [
        {"OIDC_ISSUER": "https://a.example"},
        {"OIDC_AUDIENCE": "a"},
        {"OIDC_ISSUER": "http://a.example", "OIDC_AUDIENCE": "a"},
        {"OIDC_ISSUER": "https://a", "OIDC_AUDIENCE": "a", "OIDC_ALGORITHMS": "HS256"},
        {"OIDC_ISSUER": "https://a", "OIDC_AUDIENCE": "a", "OIDC_ALGORITHMS": "none"},
        {"VIEW_AUTHORIZATION": "on"},
        {"POLICY_FILE": "/tmp/p.yml"},
        {"DATAHUB_TOKENS": "maybe"},
        {"DATAHUB_TOKENS": "on", "VIEW_AUTHORIZATION": "on", "POLICY_FILE": "/tmp/p.yml"},
        {"RATE_LIMIT": "fast"},
        {"RATE_LIMIT": "0/minute"},
        {"TOKEN_TTL": "-1"},
        {"TOKEN_TTL": "nan"},
        {"MAX_BODY": "1"},
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"^Cannot .*\. .*\."):
        AccessSettings.from_env({f"DATASPOKE_{name}": value for name, value in environ.items()})
