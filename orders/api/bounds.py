"""What a request may ask for at most: how deep its body is, how many rows a page has."""

from typing import Any

from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.parsers import JSONParser
from rest_framework.request import Request


class Json(JSONParser):
    """A JSON body, no deeper than can be read."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return what the body says. Raises ParseError."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("The body is nested too deeply. Send it as the description of the API shows.") from None


class Page(LimitOffsetPagination):
    """50 rows, or as many as `limit` says up to 200, from `offset` on; what is no number is refused, not guessed."""

    default_limit = 50
    max_limit = 200

    def get_limit(self, request: Request) -> int:
        """Return how many rows are shown. Raises ValidationError."""
        return min(self.max_limit, _whole(request, "limit", default=self.default_limit, at_least=1))

    def get_offset(self, request: Request) -> int:
        """Return how many rows are passed over. Raises ValidationError."""
        return _whole(request, "offset", default=0, at_least=0)


def _whole(request: Request, name: str, *, default: int, at_least: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 100) or int(text) < at_least:
        raise ValidationError({name: [f"{text[:20]!r} can't be used; give a whole number from {at_least} on."]})
    return int(text)
