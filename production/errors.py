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


class WeavesDoNotFitHarness(ProductionError):
    """The loom's harness can't be divided into repeats that these weaves divide."""

    code = "weaves_do_not_fit_harness"


class FloatsCannotBeBound(ProductionError):
    """No weave keeps its floats as short as this."""

    code = "floats_cannot_be_bound"


class FloatLimitTooShort(ProductionError):
    """A weave of this cloth floats over more threads by itself than its limit allows."""

    code = "float_limit_too_short"


class WeavesDoNotGoTogether(ProductionError):
    """These weaves can't make one cloth."""

    code = "weaves_do_not_go_together"


class CastoutDoesNotFit(ProductionError):
    """The loom's castout has fewer figure hooks than its harness has ends."""

    code = "castout_does_not_fit"


class UnknownWeaveName(ProductionError):
    """There is no weave of this name in the library."""

    code = "unknown_weave_name"


class FabricNotPrintable(ProductionError):
    """No printer of this workshop has inks for this fabric."""

    code = "fabric_not_printable"


class UnknownMachine(ProductionError):
    """This machine is not in the catalogue."""

    code = "unknown_machine"


class UnknownInkSet(ProductionError):
    """This ink set is not in the catalogue."""

    code = "unknown_ink_set"


class MachineNotSuitable(ProductionError):
    """This machine can't make this cloth."""

    code = "machine_not_suitable"


class InksNotOnMachine(ProductionError):
    """The machine does not print with these inks."""

    code = "inks_not_on_machine"


class WrongProfile(ProductionError):
    """The file is not a colour profile of these inks."""

    code = "wrong_profile"


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


class MapForPrintOnly(ProductionError):
    """The colour map shows what a colour profile does to a print: a woven job has none."""

    code = "map_for_print_only"


class PictureUnreadable(ProductionError):
    """The picture can't be read."""

    code = "picture_unreadable"


class PictureTooLarge(ProductionError):
    """The picture is larger than can be read."""

    code = "picture_too_large"


class PictureTooSmall(ProductionError):
    """The picture has too few pixels to hold a design."""

    code = "picture_too_small"


class PictureTooCoarse(ProductionError):
    """The picture has too few pixels for the size it is to be made at."""

    code = "picture_too_coarse"


class PictureOutOfProportion(ProductionError):
    """The picture has another shape than the repeat."""

    code = "picture_out_of_proportion"


class SeveralPictures(ProductionError):
    """The file holds several pictures."""

    code = "several_pictures"


class PictureColoursUnknown(ProductionError):
    """What the picture's numbers mean as colours is not known."""

    code = "picture_colours_unknown"


class PictureProfileUnusable(ProductionError):
    """The picture's colour profile can't be used."""

    code = "picture_profile_unusable"


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


class DiskFull(ProductionError):
    """There is no room left to write the files."""

    code = "production_disk_full"
    retryable = True
    http_status = 507


class UnknownFormat(ProductionError):
    """There is no such kind of file."""

    code = "unknown_format"


class FormatNotForJob(ProductionError):
    """This kind of file is for printers and the job is for a loom, or the other way round."""

    code = "format_not_for_job"


class TiffTooLarge(ProductionError):
    """The picture is too large for a TIFF that every RIP reads: 4 GB is the most."""

    code = "tiff_too_large"


class NoProcessInks(ProductionError):
    """This ink set does not begin with cyan, magenta, yellow and black: ask for one grey file per ink instead."""

    code = "no_process_inks"


class InkNameUnwritable(ProductionError):
    """The name of this ink or channel can't be written into a print file."""

    code = "ink_name_unwritable"


class SpotNamesDoNotFit(ProductionError):
    """Every colour of the design needs a spot channel with a name of its own."""

    code = "spot_names_do_not_fit"


class TooManySpots(ProductionError):
    """The design has more colours than a print file has spot channels."""

    code = "too_many_spots"


class SpotNeedsColours(ProductionError):
    """Spot channels are made from the single colours of a design, and this one is in tones."""

    code = "spot_needs_colours"


class TicketForPrintOnly(ProductionError):
    """This ticket is for printers: a woven job has none."""

    code = "ticket_for_print_only"


class TicketNeedsFile(ProductionError):
    """This ticket needs a file to place."""

    code = "ticket_needs_file"


class LayoutNotInTicket(ProductionError):
    """This kind of ticket has no word for the layout."""

    code = "layout_not_in_ticket"


class NoHotFolder(ProductionError):
    """The machine's hot folder is not set, not there, or can't be written to."""

    code = "no_hot_folder"
    retryable = True
    http_status = 409


class ManifestDamaged(ProductionError):
    """This is no manifest of a job, or it is damaged."""

    code = "manifest_damaged"
    http_status = 409


class NothingToSend(ProductionError):
    """The job has no file that this machine could load."""

    code = "nothing_to_send"
    http_status = 409


class NameTaken(ProductionError):
    """The hot folder already holds another file of this name."""

    code = "name_taken"
    http_status = 409


class FilesChanged(ProductionError):
    """A file is not the one that was released: nothing was sent."""

    code = "files_changed"
    http_status = 409


class SentBefore(ProductionError):
    """This job was sent to the machine before."""

    code = "sent_before"
    http_status = 409


class ActualsRefused(ProductionError):
    """What was reported of a job can't be recorded: nothing was."""

    code = "actuals_refused"


class PiecesDiffer(ProductionError):
    """These orders can't be printed on one roll."""

    code = "pieces_differ"
    http_status = 409


class NoRollLongEnough(ProductionError):
    """No roll of this fabric is long enough."""

    code = "no_roll_long_enough"
    http_status = 409


class NoTile(ProductionError):
    """The order's files hold no tile to print from."""

    code = "no_tile"
    http_status = 409


class DetectorRefused(ProductionError):
    """The weights of the network that finds defects are missing, or are not those that were trained."""

    code = "detector_refused"
    http_status = 503


class InvalidScans(ProductionError):
    """These scans can't be taken: give TIFF, PNG or JPEG of the cloth, from the head of the roll on."""

    code = "invalid_scans"
