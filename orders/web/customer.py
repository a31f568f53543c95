"""The customer's link: a design at true scale, its knobs, comments and the yes, without an account."""

urlpatterns = []
