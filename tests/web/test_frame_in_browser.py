"""What every page's frame does for a person, in a real browser."""

import re

from playwright.sync_api import expect

from orders.models import Preference, Role
from tests.web.browser import PASSWORD

FIRST = {"sales": "/", "designer": "/studio/", "planner": "/board/", "operator": "/floor/", "admin": "/"}


def test_each_role_signs_in_and_out_by_keyboard_alone_and_lands_on_its_own_page(quick, faces):
    window = faces.open(None, width=1024)
    page = window.goto("/")
    expect(page).to_have_url(re.compile(r"/login/\?next=/$"))
    window.goto("/login/")
    for role in Role:
        faces.person(role)
        window.write(page.get_by_label("Name"), f"{role.value}-here")
        window.write(page.get_by_label("Password"), PASSWORD)
        window.press("Enter")
        expect(page).to_have_url(faces.home + FIRST[role])
        window.tab_to(page.locator("header summary"))
        window.press("Enter")
        window.tab_to(page.get_by_role("button", name="Log out"))
        window.press("Enter")
        expect(page).to_have_url(faces.home + "/login/")


def test_who_mistypes_a_password_is_told_so_and_has_not_lost_the_name(quick, faces):
    window = faces.open(None, width=390)
    page = window.goto("/login/")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill("not hers")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("Try again")
    expect(page.get_by_label("Name")).to_have_value("anna")
    window.axe()
    window.fits()


def test_language_and_units_are_each_person_s_own_and_the_first_tab_leads_past_the_menu(quick, faces):
    window = faces.open("sales", width=1024)
    page = window.goto("/")
    window.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    expect(page.get_by_role("link", name="To the content")).to_be_in_viewport()
    window.press("Enter", "Tab")
    assert page.evaluate("document.getElementById('main').contains(document.activeElement)"), "past the menu"
    page.locator("header summary").click()
    page.get_by_label("Language").select_option("it")
    page.get_by_label("Units").select_option("imperial")
    page.get_by_role("button", name="Show it so").click()
    expect(page.locator("html")).to_have_attribute("lang", "it")
    expect(page.locator("select[name=units]")).to_have_value("imperial")
    assert Preference.objects.get().language == "it"
    other = faces.open("designer", width=1024).goto("/studio/")
    expect(other.locator("html")).to_have_attribute("lang", "en-gb")


def test_what_is_typed_outlives_a_lost_connection_a_lost_session_and_a_reload(quick, faces):
    faces.expects("ERR_INTERNET_DISCONNECTED", "htmx:sendError", "htmx:afterRequest", "401")
    window = faces.open("sales", width=1024)
    page = window.goto("/new/")
    words = page.locator("form[data-keep] [name=words]")
    words.fill("herons among reeds")

    window.offline()
    gone = page.locator("#offline")
    expect(gone).to_be_visible()
    expect(gone).to_contain_text("No connection")
    window.axe()
    window.shot("offline")
    window.offline(False)
    expect(gone).to_be_hidden()

    faces.sign_out(window)
    page.evaluate("htmx.ajax('get', location.pathname, '#main')")
    expect(page.locator("#refused")).to_contain_text("signed out")
    expect(words).to_have_value("herons among reeds")
    window.axe()
    window.shot("signed-out")

    page.reload()
    page.get_by_label("Name").fill("sales-here")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(words).to_have_value("herons among reeds")
    expect(page.get_by_role("status").or_(page.get_by_role("alert")).filter(has_text="is here again")).to_be_visible()


def test_a_page_that_is_opened_without_a_connection_says_so_and_comes_by_itself_when_it_is_back(quick, faces):
    faces.expects("ERR_INTERNET_DISCONNECTED")
    window = faces.open("operator", width=1024)
    page = window.goto("/floor/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    window.offline()
    page.goto(faces.home + "/floor/?machine=P1")
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    expect(page.get_by_role("status").filter(visible=True)).to_contain_text("opens by itself")
    window.axe()
    window.fits()
    window.shot("no-connection")
    window.offline(False)
    expect(page.get_by_role("heading", name="No connection")).to_have_count(0)
    expect(page).to_have_url(faces.home + "/floor/?machine=P1")
    expect(page.locator("header nav")).to_be_visible()


def test_a_script_that_does_not_come_from_this_host_as_a_file_is_not_run(quick, faces):
    faces.expects("Content Security Policy")
    page = faces.open("sales").goto("/")
    page.evaluate("""() => {
        const script = document.createElement('script');
        script.textContent = "document.title = 'taken over'";
        document.head.append(script);
    }""")
    assert page.title() != "taken over"
    assert any("script" in complaint for complaint in faces.opened[0].complaints), "the browser said nothing of it"
