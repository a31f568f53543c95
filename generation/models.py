"""Artworks and the models that drew them. An artwork never changes: it is named by the digest of its own bytes."""

from __future__ import annotations

from django.db import models

from generation.domain.pattern import Layout


class ModelCard(models.Model):
    """What is known about one set of weights: recipe, data, figures, licence."""

    generator = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64, unique=True)
    card = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.generator} {self.fingerprint[:12]}"


class Artwork(models.Model):
    """One drawn repeat: an indexed PNG in the store, and everything that it takes to draw it again."""

    sha256 = models.CharField(max_length=64, unique=True, help_text="Digest of the stored file")
    key = models.CharField(max_length=64, unique=True, help_text="Digest of brief, seed, limits and fingerprint")
    width_px = models.PositiveIntegerField()
    height_px = models.PositiveIntegerField()
    repeat_width_mm = models.FloatField()
    repeat_height_mm = models.FloatField()
    layout = models.CharField(
        max_length=16, choices=[(layout.value, layout.value.replace("_", " ").capitalize()) for layout in Layout]
    )
    palette = models.JSONField(help_text="Colours '#rrggbb' by index, the ground first")
    words = models.TextField()
    generator = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    seed = models.BigIntegerField()
    origin = models.TextField(blank=True, help_text="How it was made: from noise or from which proposal")
    roles = models.JSONField(
        default=list, help_text="Of each colour: 0 ground, 1 main motif and so on; empty: in order"
    )
    notes = models.JSONField(default=list, help_text="What was understood or done otherwise than asked, in sentences")
    path = models.CharField(max_length=120, help_text="Place of the file below the store")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["fingerprint"])]

    def __str__(self) -> str:
        return f"{self.words[:60]} ({self.sha256[:12]})"


class ArtworkMark(models.Model):
    """What an artwork is known again by when it has been moved, turned or recoloured: see domain/uniqueness.py."""

    artwork = models.OneToOneField(Artwork, models.CASCADE, related_name="mark")
    signature = models.BinaryField(help_text="Strength of each wave, half precision: what is searched by")
    waves = models.BinaryField(help_text="The waves of each colour, half precision: what is laid over")
    proposal_likeness = models.FloatField(
        null=True, help_text="How alike it is to the proposal it was drawn over, 0 to 1; empty: drawn over none"
    )

    def __str__(self) -> str:
        return f"mark of {self.artwork}"


class LatentSpace(models.Model):
    """What a brand's approved designs have in common and along which axes they differ."""

    shop = models.SlugField(help_text="The shop's short name")
    name = models.CharField(max_length=80)
    version = models.PositiveIntegerField(help_text="Counts the times it was built anew under this name")
    fingerprint = models.CharField(
        max_length=64, help_text="Digest of the designs it was built from, and of the method"
    )
    designs = models.JSONField(help_text="sha256 of each design it was built from")
    axes = models.JSONField(help_text="Of each axis: name, least, most, share of the variance")
    path = models.CharField(max_length=120, help_text="Place of mean and components below the store")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["shop", "name", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "name", "version"], name="latent_space_version_once_per_name")
        ]

    def __str__(self) -> str:
        return f"{self.shop} {self.name} {self.version}"
