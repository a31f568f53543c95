"""Every address of the product."""

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from orders.api import erp as erp_api
from orders.api import inspecting as inspecting_api
from orders.api import planning as planning_api
from orders.api import views as api
from orders.web import erp as erp_web
from orders.web import home, preferences, sales
from orders.web import views as web

handler404 = "orders.api.problems.not_found"
handler500 = "orders.api.problems.failed"

docs = csp_update({"style-src": [SELF, UNSAFE_INLINE]})(SpectacularSwaggerSplitView.as_view(url_name="schema"))

router = SimpleRouter()
router.register("orders", api.OrderViewSet)
router.register("lines", api.LineViewSet)
router.register("candidates", api.CandidateViewSet)
router.register("erp/outbox", erp_api.OutboxViewSet, basename="outbox")
router.register("erp/notices", erp_api.NoticeViewSet)
router.register("plans/runs", planning_api.PlanRunViewSet, basename="plan-runs")
router.register("plans", planning_api.PlanViewSet, basename="plans")

urlpatterns = [
    path("", sales.index, name="index"),
    path("lines/<slug:reference>/", web.line, name="line"),
    path("lines/<slug:reference>/repeat/", sales.repeat, name="repeat"),
    path("lines/<slug:reference>/strike-off/", sales.approve_strike_off, name="approve-strike-off"),
    path("lines/<slug:reference>/state/", web.state, name="line-state"),
    path("lines/<slug:reference>/designs/<int:number>/", web.design, name="line-design"),
    path("lines/<slug:reference>/compare/", web.compare, name="line-compare"),
    path("lines/<slug:reference>/inquire/", web.inquire, name="line-inquire"),
    path("lines/<slug:reference>/inspection/", include("orders.web.inspection")),
    path("lines/<slug:reference>/", include("orders.web.links")),
    path("lines/<slug:reference>/<slug:verb>/", web.act, name="act"),
    path("new/", sales.new, name="new"),
    path("new/inquiry/", sales.inquiry, name="new-inquiry"),
    path("new/cloth/", sales.cloth, name="new-cloth"),
    path("new/customers/", sales.customers, name="new-customers"),
    path("new/picture/", sales.picture, name="new-picture"),
    path("new/picture/<str:token>/", sales.picture_png, name="new-picture-png"),
    path("c/", include("orders.web.customer")),
    path("studio/", include("orders.web.studio")),
    path("board/", include("orders.web.board")),
    path("floor/", include("orders.web.floor")),
    path("dashboard/", include("orders.web.dashboard")),
    path("drift/", include("orders.web.drift")),
    path("home/", home.home, name="home"),
    path("offline/", home.offline, name="offline"),
    path("offline.js", home.worker, name="offline-worker"),
    path("preferences/", preferences.prefer, name="prefer"),
    path("erp/", erp_web.erp, name="erp"),
    path("erp/<slug:verb>/<int:number>/", erp_web.act, name="erp-act"),
    path("login/", LoginView.as_view(template_name="login.html", redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("api/", include(router.urls)),
    path("api/lines/<slug:reference>/files/<str:name>", api.FileView.as_view(), name="file"),
    path("api/lines/<slug:reference>/scans/", inspecting_api.ScansView.as_view(), name="scans"),
    path("api/lines/<slug:reference>/inspections/", inspecting_api.InspectionsView.as_view(), name="inspections"),
    path(
        "api/lines/<slug:reference>/inspections/<int:number>/",
        inspecting_api.OneInspectionView.as_view(),
        name="inspection",
    ),
    path(
        "api/lines/<slug:reference>/inspections/<int:number>/decide/",
        inspecting_api.DecideView.as_view(),
        name="inspection-decide",
    ),
    path(
        "api/lines/<slug:reference>/inspections/<int:number>/verdicts/",
        inspecting_api.VerdictsView.as_view(),
        name="inspection-verdicts",
    ),
    path("api/promise/", planning_api.PromiseView.as_view(), name="promise"),
    path("api/stock/", api.StockView.as_view(), name="stock"),
    path("api/work_centres/", api.WorkCentreView.as_view(), name="work-centres"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/docs/",
        docs,
        name="docs",
    ),
    path("live", api.LiveView.as_view(), name="live"),
    path("ready", api.ReadyView.as_view(), name="ready"),
    path("admin/", admin.site.urls),
]
