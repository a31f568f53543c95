"""What production refuses, one class per reason. The docstring is the default message; fields are structured."""

from __future__ import annotations

from typing import Any, ClassVar


class ProductionError(Exception):
    """Production could not do this."""

    code: ClassVar[str] = "production_error"
    retryable: ClassVar[bool] = False
    http_status: ClassVar[int] = 400

    def __init__(self, message: str = "", *, fields: dict[str, Any] | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.fields = fields or {}
        super().__init__(self.message)


class UnknownFabric(ProductionError):
    """This fabric is not in the catalogue."""

    code = "unknown_fabric"


class UnknownWeave(ProductionError):
    """This weave is not in the catalogue."""

    code = "unknown_weave"


class NotOneCloth(ProductionError):
    """An order line names one fabric to print or one weave, not both and not neither."""

    code = "not_one_cloth"


class QuantityOutOfRange(ProductionError):
    """This quantity can't be made."""

    code = "quantity_out_of_range"


class RepeatTooSmall(ProductionError):
    """The repeat is smaller than can be made."""

    code = "repeat_too_small"


class RepeatTooWide(ProductionError):
    """The repeat is wider than the fabric can be printed or woven."""

    code = "repeat_too_wide"


class RepeatTooLarge(ProductionError):
    """The repeat is too large to print at the lowest resolution that still looks sharp."""

    code = "repeat_too_large"


class RepeatDoesNotFitHarness(ProductionError):
    """The loom's harness can't be divided into repeats of this width."""

    code = "repeat_does_not_fit_harness"


class FabricNotPrintable(ProductionError):
    """No printer of this workshop has inks for this fabric."""

    code = "fabric_not_printable"


class NoProfile(ProductionError):
    """There is no valid colour profile for this printer, ink set and fabric."""

    code = "no_profile"
    http_status = 409


class ProfileChanged(ProductionError):
    """The colour profile's file is not the one that was registered."""

    code = "profile_changed"
    http_status = 500


class PriceMissing(ProductionError):
    """A price that the costing needs is not set."""

    code = "price_missing"
    http_status = 409


class RasterDoesNotFit(ProductionError):
    """The picture has another size than the repeat needs."""

    code = "raster_does_not_fit"


class NotManufacturable(ProductionError):
    """The design has findings that stop it from being made."""

    code = "not_manufacturable"
    http_status = 409


class VerifyFailed(ProductionError):
    """A file that was written does not read back as it should."""

    code = "verify_failed"
    retryable = True
    http_status = 500


class WriteFailed(ProductionError):
    """A file could not be written."""

    code = "write_failed"
    retryable = True
    http_status = 500


class DiskFull(ProductionError):
    """There is no room left to write the files."""

    code = "production_disk_full"
    retryable = True
    http_status = 507


class UnknownFormat(ProductionError):
    """There is no such kind of file."""

    code = "unknown_format"
