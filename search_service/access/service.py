"""All that the application needs of access, opened together from the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from dataspoke.core.hub.connection import HubConnection
from dataspoke.core.hub.permissions import HubPermissions, Memberships, TokenCheck
from dataspoke.core.settings import Settings
from dataspoke.search_service.access.answers import Answers, open_answers
from dataspoke.search_service.access.authenticate import Authenticator
from dataspoke.search_service.access.caller import Caller
from dataspoke.search_service.access.oidc import OidcVerifier
from dataspoke.search_service.access.rates import Rates, open_rates
from dataspoke.search_service.access.settings import AccessSettings
from dataspoke.search_service.access.view import Everything, FileView, HubView, Rights, View


@dataclass(frozen=True, slots=True)
class Access:
    """`authenticator` is None where nobody is asked who they are, `rates` where nothing is limited,
    `answers` where none are kept."""

    settings: AccessSettings
    authenticator: Authenticator | None = None
    view: View = field(default_factory=Everything)
    rates: Rates | None = None
    answers: Answers | None = None

    def conditions_for(self, caller: Caller) -> Rights:
        """What an entity must fulfil to be found, counted or shown to the caller; None when it
        sees everything. Raises RetriableError when nobody can tell."""
        return self.view.conditions_for(caller)


def open_access(
    settings: AccessSettings, service: Settings, *, clock: Callable[[], float] = monotonic
) -> Access:
    """Sends nothing yet. Raises ConfigError for a policy file that cannot be used."""
    permissions = HubPermissions(HubConnection.open(service))
    view: View = Everything()
    if settings.policy_file:
        view = FileView(settings.policy_file)
    elif settings.view_authorization:
        view = HubView(
            permissions,
            ttl=settings.policies_ttl,
            max_age=settings.policies_max_age,
            clock=clock,
        )
    authenticator = None
    if settings.authenticates:
        asks_datahub = settings.datahub_tokens or settings.view_authorization
        authenticator = Authenticator(
            settings,
            oidc=OidcVerifier(settings.oidc) if settings.oidc else None,
            owner=TokenCheck(service) if settings.datahub_tokens else None,
            memberships=permissions.memberships if asks_datahub else _no_memberships,
            clock=clock,
        )
    return Access(settings, authenticator, view, open_rates(settings), open_answers(settings))


def _no_memberships(user: str) -> Memberships:
    return Memberships(frozenset(), frozenset())
