"""The designer's studio: what waits for review, a line's designs, the brand's spaces, and what was learnt."""

from django.urls import path

from orders.web.studio import learned, queue, review, spaces

urlpatterns = [
    path("", queue.studio, name="studio"),
    path("learned/", learned.learned, name="studio-learned"),
    path("learned/decisions.jsonl", learned.decisions, name="studio-decisions"),
    path("training/<int:seed>.png", review.training, name="studio-training"),
    path("spaces/", spaces.spaces, name="studio-spaces"),
    path("spaces/<int:number>/", spaces.space, name="studio-space"),
    path("spaces/<int:number>/look.png", spaces.look, name="studio-look"),
    path("spaces/<int:number>/axis/", spaces.axis, name="studio-axis"),
    path("spaces/<int:number>/draw/", spaces.draw, name="studio-draw"),
    path("<slug:reference>/", review.review, name="studio-line"),
    path("<slug:reference>/<int:candidate>/near/", review.near, name="studio-near"),
    path("<slug:reference>/<int:candidate>/provenance.pdf", review.provenance_sheet, name="studio-provenance"),
    path("<slug:reference>/<int:candidate>/coloured.png", review.coloured, name="studio-coloured"),
    path("<slug:reference>/<slug:verb>/", review.act, name="studio-act"),
]
