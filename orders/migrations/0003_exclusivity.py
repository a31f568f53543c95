import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0003_likeness"),
        ("orders", "0002_exploring"),
    ]

    operations = [
        migrations.CreateModel(
            name="Exclusivity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("territory", models.CharField(blank=True, help_text="Where it holds; empty: everywhere.", max_length=120)),
                ("valid_from", models.DateField()),
                ("until", models.DateField(blank=True, help_text="Its last day; empty: for ever.", null=True)),
                (
                    "artwork",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="generation.artwork"),
                ),
                (
                    "customer",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="orders.customer"),
                ),
            ],
            options={"verbose_name_plural": "exclusivities"},
        ),
    ]
