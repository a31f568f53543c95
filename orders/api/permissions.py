"""Who may do what: deny by default, one table per view."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from orders.api.authentication import membership_of
from orders.models import Role

EVERYONE = frozenset(Role)


class RolePermission(BasePermission):
    """Allow a request only if its role stands in the view's `roles` beside the action; no table, no entry.

    Leaves the membership on the request, so that views scope what they show to its shop.
    """

    message = "Your role may not do this."

    def has_permission(self, request: Request, view: Any) -> bool:
        """True when the role of this request is listed for the view's action."""
        membership = membership_of(request)
        request.membership = membership
        method = (request.method or "").lower()
        action = getattr(view, "action", None) or ("get" if method == "head" else method)
        return membership is not None and membership.role in getattr(view, "roles", {}).get(action, frozenset())
