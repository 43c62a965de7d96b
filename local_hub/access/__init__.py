"""Who calls the hub, and what they may do: tokens, sessions, policies."""

from dataspoke.local_hub.access.authorizer import Authorizer

__all__ = ["Authorizer"]
