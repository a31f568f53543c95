"""The administrator's pages. What the line writes about itself, steps and audit, is read-only."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget

from orders import models
from production.domain.grading import Rule

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class PersonAdmin(UserAdmin, ModelAdmin):
    """People who may log in."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class PeopleAdmin(GroupAdmin, ModelAdmin):
    """Groups of people."""


class ReadOnly(ModelAdmin):
    """Rows that only the line itself writes: looked at here, never edited."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(models.Shop)
class ShopAdmin(ModelAdmin):
    """Mills and studios."""

    list_display = ("name", "slug", "currency", "connector", "generator")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Stock, catalogue and files know the shop by its slug: another one would cut it off from all of them.
        return ("slug",) if obj else ()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Offer only time zones that exist, and connectors and generators that the settings name."""
        choices = {
            "time_zone": available_timezones(),
            "connector": settings.WEFTLINE["connectors"],
            "generator": settings.WEFTLINE["generators"],
        }.get(db_field.name)
        if choices is None:
            return super().formfield_for_dbfield(db_field, request, **options)
        return forms.ChoiceField(
            choices=[(name, name) for name in sorted(choices)],
            help_text=db_field.help_text,
            initial=db_field.default,
            widget=UnfoldAdminSelectWidget,
        )


@admin.register(models.Membership)
class MembershipAdmin(ModelAdmin):
    """Who does what in which shop."""

    list_display = ("user", "role", "shop")
    list_filter = ("shop", "role")


class CustomerForm(forms.ModelForm):
    """A customer with what it takes of a cloth."""

    def clean(self) -> dict[str, Any]:
        """Refuse what makes no rule, in a sentence."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            Rule.of(cleaned.get("quality", ""), cleaned.get("inspection_rule") or {})
        except (ValueError, AttributeError) as error:
            raise forms.ValidationError({"inspection_rule": str(error)}) from error
        return cleaned


@admin.register(models.Customer)
class CustomerAdmin(ModelAdmin):
    """Who orders cloth."""

    form = CustomerForm
    list_display = ("name", "quality", "shop")
    search_fields = ("name",)


@admin.register(models.ApiToken)
class ApiTokenAdmin(ReadOnly):
    """Keys of programs; made with `manage.py token`, revoked here."""

    list_display = ("name", "prefix", "membership", "created_at", "expires_at")
    exclude = ("digest",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


@admin.register(models.Order)
class OrderAdmin(ReadOnly):
    """Orders move through the line, not through this page."""

    list_display = ("number", "customer", "shop", "created_at")
    list_filter = ("shop",)


@admin.register(models.OrderLine)
class OrderLineAdmin(ReadOnly):
    """Lines of orders."""

    list_display = ("reference", "substrate", "weave", "quantity_m", "state", "due_date")
    list_filter = ("state", "order__shop")


@admin.register(models.PlanRun)
class PlanRunAdmin(ReadOnly):
    """Plans that were asked for."""

    list_display = ("pk", "kind", "state", "by", "created_at", "ended_at", "shop")
    list_filter = ("state", "shop")


@admin.register(models.Round)
class RoundAdmin(ReadOnly):
    """Briefs."""

    list_display = ("line", "number", "words", "layout", "created_at")


@admin.register(models.Candidate)
class CandidateAdmin(ReadOnly):
    """Answers to briefs."""

    list_display = ("round", "position", "passed", "price", "promise")
    list_filter = ("passed",)


@admin.register(models.Approval)
class ApprovalAdmin(ReadOnly):
    """What was said yes to."""

    list_display = ("line", "number", "candidate", "at", "sha256")


@admin.register(models.Exclusivity)
class ExclusivityAdmin(ReadOnly):
    """Designs promised to one customer; a promise can be ended early."""

    list_display = ("artwork", "customer", "territory", "valid_from", "until")
    list_filter = ("customer__shop",)
    readonly_fields = ("artwork", "customer", "valid_from")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)


@admin.register(models.Step)
class StepAdmin(ReadOnly):
    """The ledger of work."""

    list_display = ("line", "kind", "state", "attempt", "worker", "error_code", "started_at", "ended_at")
    list_filter = ("state", "kind")


@admin.register(models.AuditEvent)
class AuditEventAdmin(ReadOnly):
    """The audit chain."""

    list_display = ("sequence", "at", "actor", "action", "line", "from_state", "to_state")
    list_filter = ("shop", "action")


@admin.register(models.Pulse)
class PulseAdmin(ReadOnly):
    """When the caretakers were last seen."""

    list_display = ("name", "at")


@admin.register(models.Notice)
class NoticeAdmin(ReadOnly):
    """What was changed in the ERP and could not be followed; dealt with on the page of the ERP."""

    list_display = ("at", "line", "code", "sentence", "settled_at", "settled_by")
    list_filter = ("shop", "code")


@admin.register(models.Following)
class FollowingAdmin(ReadOnly):
    """When each shop's ERP was last followed."""

    list_display = ("shop", "followed_at", "swept_at", "error")
