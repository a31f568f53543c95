"""What can go wrong between a brief and an artwork. The docstring of a class is its message where none is given."""

from __future__ import annotations

from typing import Any, ClassVar


class GenerationError(Exception):
    """The design can't be drawn."""

    code: ClassVar[str] = "generation_error"
    retryable: ClassVar[bool] = False
    http_status: ClassVar[int] = 400

    def __init__(self, message: str = "", *, fields: dict[str, Any] | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())
        self.fields = fields or {}


class InvalidBrief(GenerationError):
    """The brief can't be drawn as it is written."""

    code = "invalid_brief"


class UnknownPalette(GenerationError):
    """There is no palette of that name."""

    code = "unknown_palette"


class NotAColour(GenerationError):
    """That is not a colour: write it as '#2b3a4a', or by a name such as navy."""

    code = "not_a_colour"


class UnreadableImage(GenerationError):
    """The picture can't be read: send a PNG, JPEG, TIFF or WebP file."""

    code = "unreadable_image"


class UnknownGenerator(GenerationError):
    """There is no generator of that name in the settings."""

    code = "unknown_generator"


class WeightsRefused(GenerationError):
    """The model's files are not the ones that were shipped: nothing was loaded."""

    code = "weights_refused"
    http_status = 503


class NoMemory(GenerationError):
    """There is not enough free memory to draw with this model: try again later, or choose a smaller one."""

    code = "no_memory"
    retryable = True
    http_status = 503


class SeamTooVisible(GenerationError):
    """A line would show on the cloth where the repeats meet."""

    code = "seam_too_visible"
    http_status = 409


class ArtworkMissing(GenerationError):
    """The artwork's file is not in the store, or it has been changed."""

    code = "artwork_missing"
    http_status = 500


class TooFewDesigns(GenerationError):
    """There are too few approved designs to tell what they have in common."""

    code = "too_few_designs"
    http_status = 409


class UnknownLatentSpace(GenerationError):
    """This shop has built no such space of its designs."""

    code = "unknown_latent_space"
    http_status = 404


class UnknownAxis(GenerationError):
    """The space has no such axis."""

    code = "unknown_axis"


class OutsideAxis(GenerationError):
    """That is farther than the approved designs go."""

    code = "outside_axis"


class InvalidAxis(GenerationError):
    """An axis of a space can't be named, or bounded, like this."""

    code = "invalid_axis"
