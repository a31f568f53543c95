"""How programs and people say who they are: a hashed token, or the browser's session."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from orders.models import ApiToken, Membership


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer wl_…`. The token carries the membership, and with it shop and role."""

    def authenticate(self, request: Request) -> tuple[object, ApiToken] | None:
        """Return (user, token), or None when the request carries no token. Raises AuthenticationFailed."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2 or len(words[1]) > 200:
            raise AuthenticationFailed(_("Write the token as: Authorization: Bearer wl_…"))
        digest = ApiToken.digest_of(words[1].decode("latin-1"))
        token = ApiToken.objects.select_related("membership__user", "membership__shop").filter(digest=digest).first()
        if token is None or token.expires_at <= timezone.now() or not token.membership.user.is_active:
            raise AuthenticationFailed(_("This token is not valid, or no longer valid."))
        return token.membership.user, token

    def authenticate_header(self, request: Request) -> str:
        """Make an anonymous request a 401, not a 403."""
        return "Bearer"


class _TokenScheme(OpenApiAuthenticationExtension):
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


def membership_of(request: Request) -> Membership | None:
    """Return the shop and role this request speaks for: the token's, or the person's (header X-Shop picks one)."""
    if isinstance(request.auth, ApiToken):
        return request.auth.membership
    if not request.user or not request.user.is_authenticated:
        return None
    mine = Membership.objects.select_related("shop").filter(user=request.user).order_by("pk")
    if slug := request.headers.get("X-Shop"):
        mine = mine.filter(shop__slug=slug)
    return mine.first()
