"""What the board's script says, in the reader's language."""

from django.utils.translation import gettext as _


def words() -> dict[str, str]:
    """Every text that the board's script shows, by name; what stands in braces it fills in."""
    return {
        "now": _("Now"),
        "due": _("Due"),
        "frozen": _("frozen until {time}"),
        "slushy": _("machines stay until {time}"),
        "closed": _("closed"),
        "down": _("Down: {why}"),
        "taken": _("Booked by others: {what}"),
        "loom": _("Looms"), "printer": _("Printers"), "finishing": _("Finishing"),
        "cutting": _("Inspection and cutting"),
        "design": _("Design review"), "gpu": _("GPU"), "other": _("Other"),
        "bar": _("{job} {name}: {machine}, {start} to {end}"),
        "changeover": _("{duration} changeover"),
        "late": _("{duration} late"), "would_be_late": _("would be {duration} late"),
        "early": _("{duration} before it is due"), "in_time": _("in time"),
        "pinned": _("pinned"), "selected": _("{count} selected"),
        "picked": _("Picked up {bar}. Arrows move it, Enter drops it, Escape puts it back."),
        "picked_none": _("{bar} can't be moved. {why}"),
        "over": _("{machine}, {start}"),
        "over_none": _("{machine}: {why}"),
        "cancelled": _("Put back."),
        "dropped": _("Dropped: {bar}."),
        "refused": _("Not possible: {why}"),
        "undone": _("Undone."), "redone": _("Done again."), "nothing_undo": _("There is nothing to undo."),
        "nothing_redo": _("There is nothing to do again."),
        "draft_none": _("No changes. Drag a bar, or press Space on it."),
        "draft_none_table": _("No changes. Move an operation in its row."),
        "draft": _("Draft: {count} steps."), "draft_one": _("Draft: 1 step."),
        "judging": _("Being checked …"),
        "offline": _("No connection: your draft is kept on this device and checked as soon as the server answers."),
        "over_session": _("You have been signed out. Your draft is kept on this device: sign in again and go on."),
        "failed": _("The server could not do this. Your draft is kept; try again."),
        "stale": _("Things have changed since you made this draft:"),
        "rebased": _("Your draft is kept, and shown on what holds now."),
        "gone": _("Taken out of the draft: {why}"),
        "discarded": _("The draft was thrown away. Undo brings it back."),
        "published": _("Plan {plan} holds now; the ERP is told."),
        "cost": _("Cost {cost}"),
        "min": _("min"), "h": _("h"), "d": _("d"), "unable": _("can't be done here"),
        "waits": _("It waits: {why}"),
        "pin": _("Pin"), "unpin": _("Take the pin out"),
        "pin_done": _("{bar} is pinned in the draft."), "unpin_done": _("{bar} is no longer pinned in the draft."),
        "customer": _("Customer"), "cloth": _("Cloth"), "inks": _("Inks, warp"), "lateness": _("Lateness"),
        "legend_late": _("late"), "legend_day": _("less than a day left"), "legend_time": _("in time"),
        "more": _("and {count} more"),
        "placing": _("{job}: up and down choose the machine, left and right the time, Enter drops it."),
        "no_place_yet": _(
            "{job} has not been planned, so there is nothing to put here yet. Press it: it goes into the first free "
            "time, and from there it can be moved."
        ),
        "asked": _("{job} is being planned into the first free time."), "row_moved": _("in the draft"),
    }  # fmt: skip
