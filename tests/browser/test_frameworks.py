"""An embedded room beside CSS frameworks, without anything that the site does for it."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.page import NewContext, Start, add_style_sheet, chat, say, sent
from tests.services import Missing, frameworks, skip_or_fail

# The colours of a scheme cannot be emulated in Firefox.
pytestmark = pytest.mark.skip_browser("firefox")

# The site has the frameworks' own controls beside the room. The room has the same place in all cases.
SITE = """
  .site-header, .article { display: none }
  .beside-room { position: absolute; inset: 0 auto auto 0; inline-size: 600px }
"""
CONTROLS = """
  <form class="box card" id="own">
    <h2 class="title h2">The site</h2>
    <a href="/elsewhere/">A link</a> <a class="btn btn-primary button is-primary" href="/elsewhere/">A button</a>
    <button class="btn btn-secondary button">Another</button> <input class="form-control input" value="Text" aria-label="Text">
    <select class="form-select" aria-label="Choice"><option>One</option></select> <input type="checkbox" aria-label="Yes">
    <textarea aria-label="Texts"></textarea> <progress value="0.5" aria-label="Progress"></progress> <code>code</code>
    <ul><li>One</li></ul> <table class="table"><tr><th>1</th><td>2</td></tr></table>
  </form>
"""

# Measures the room, its menus and its dialogs, one after the other.
LOOK = """() => {
  const names = ("align-items appearance aspect-ratio background-color background-image border-bottom-color border-bottom-style border-bottom-width "
    + "border-left-width border-top-left-radius box-shadow color content cursor display fill filter flex-grow font-family font-size font-style "
    + "font-weight letter-spacing line-height list-style-type margin-bottom margin-left margin-right margin-top object-fit opacity outline-style "
    + "overflow-x padding-bottom padding-left padding-top position stroke stroke-width text-align text-decoration-line text-overflow text-transform "
    + "transition-property user-select vertical-align visibility white-space word-break z-index").split(" ");
  const values = (element, pseudo) => {
    const style = getComputedStyle(element, pseudo);
    return names.map((name) => style.getPropertyValue(name));
  };
  const pseudos = (element) => [
    "::before", "::after",
    ...(element.matches("input, textarea") ? ["::placeholder"] : []),
    ...(element.matches("dialog") ? ["::backdrop"] : []),
    ...(element.matches("[type=file]") ? ["::file-selector-button"] : []),
  ];
  const visible = (root) => [root, ...root.querySelectorAll("*")].filter((element) => element.checkVisibility());
  const look = (root) => visible(root).map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return {
      name: `${element.localName}.${element.getAttribute("class") ?? element.dataset.part ?? ""}`,
      box: [x, y, width, height],
      style: Object.fromEntries([undefined, ...pseudos(element)].flatMap((pseudo) =>
        values(element, pseudo).map((value, index) => [`${pseudo ?? ""} ${names[index]}`.trim(), value]))),
    };
  });
  const within = (root, show, hide) => {
    show();
    const found = look(root);
    hide();
    return found;
  };
  const room = document.querySelector("room-chat");
  const states = { room: look(room) };
  for (const menu of room.querySelectorAll("[popover]:not(dialog *)")) {
    states[menu.dataset.part] = within(menu, () => menu.showPopover(), () => menu.hidePopover());
  }
  for (const dialog of room.querySelectorAll("dialog")) {
    states[dialog.dataset.part] = within(dialog, () => dialog.showModal(), () => dialog.close());
  }
  return states;
}"""
COMPARE = f"""({{ hasLayers }}) => {{
  const now = ({LOOK})();
  const found = [];
  for (const [state, elements] of Object.entries(window.stock)) {{
    if (elements.length !== now[state].length) found.push(`${{state}}: ${{elements.length}} → ${{now[state].length}} elements`);
    else elements.forEach(({{ name, box, style }}, index) => {{
      const other = now[state][index];
      const at = `${{state}}, ${{name}}`;
      if (box.some((length, side) => Math.abs(length - other.box[side]) > 2)) found.push(`${{at}}: ${{box}} → ${{other.box}}`);
      for (const [key, value] of Object.entries(hasLayers ? {{}} : style)) {{
        if (value !== other.style[key]) found.push(`${{at}} ${{key}}: ${{value}} → ${{other.style[key]}}`);
      }}
    }});
  }}
  return found;
}}"""
OWN = """() => [...document.querySelectorAll("#own, #own *, body, html")].map((element) => {
  const style = getComputedStyle(element);
  return [...style].filter((name) => !name.startsWith("--")).map((name) => `${name}: ${style.getPropertyValue(name)}`).join("; ");
})"""
# Without the package's style sheet, the frameworks' controls look the same.
HARM = f"""() => {{
  const own = {OWN};
  const beside = own();
  const sheet = document.querySelector("link[href*='roomchat.css']");
  sheet.disabled = true;
  const alone = own();
  sheet.disabled = false;
  return alone.flatMap((style, index) => style === beside[index] ? [] : [[style, beside[index]]]);
}}"""
INNER_SCROLLING = """() => [...document.querySelectorAll("room-chat dialog:has(.roomchat-dialog-body)")].map((dialog) => {
  dialog.showModal();
  const body = dialog.querySelector(".roomchat-dialog-body");
  const isFull = dialog.offsetHeight >= parseFloat(getComputedStyle(dialog).maxHeight) - 1;
  const found = [dialog.dataset.part, body.clientHeight > 0 || !body.innerText.trim(), isFull ? 0 : body.scrollHeight - body.clientHeight];
  dialog.close();
  return found;
})"""


def in_scheme(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    # What Bootstrap, Bulma and Pico read.
    page.evaluate(
        "(scheme) => Object.assign(document.documentElement.dataset, { theme: scheme, bsTheme: scheme })",
        scheme,
    )


@pytest.fixture
def embedded(server: Start, new_context: NewContext) -> Page:
    """A page with an embedded room and with controls of its own."""
    try:
        sheets = frameworks.sheets()
    except Missing as missing:
        skip_or_fail(missing)
    site = server(project="example_project")
    page = new_context(reduced_motion="reduce").new_page()
    page.route("**/site.css", lambda route: route.fulfill(body=SITE, content_type="text/css"))
    page.route(
        "**/framework.css?*",
        lambda route: route.fulfill(
            body=sheets[route.request.url.partition("?")[2].replace("%20", " ")], content_type="text/css"
        ),
    )
    page.goto(f"{site.url}/embedded/")
    expect(chat(page)).to_have_attribute("connected", "")
    return page


def test_an_embedded_room_looks_the_same_beside_css_frameworks(embedded: Page) -> None:
    page = embedded
    say(page, "hello https://example.com")
    expect(sent(page)).to_have_count(1)
    sent(page).hover()
    sent(page).get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="👍").click()
    expect(page.locator(".roomchat-reaction")).to_have_count(1)
    page.locator("body").evaluate("(body, html) => body.insertAdjacentHTML('beforeend', html)", CONTROLS)
    page.locator("#own input").first.focus()
    page.mouse.move(1, 1)
    changed, harmed, barriers = {}, {}, {}
    root_sizes = []

    for scheme in ("light", "dark"):
        in_scheme(page, scheme)
        states = page.evaluate(f"() => {{ window.stock = ({LOOK})(); return Object.keys(stock); }}")
        for name in frameworks.FRAMEWORKS:
            # Rules outside a layer apply at any place. Tailwind 4 has layers of its own: those before the package's give
            # values where the package gives none, which must not change a size.
            for place in ("prepend", "append") if name == "Tailwind 4" else ("prepend",):
                case = f"{name}, {scheme}, {place}"
                add_style_sheet(page, f"/static/framework.css?{name}", place)
                changed[case] = page.evaluate(
                    COMPARE, {"hasLayers": case.startswith("Tailwind 4") and place == "prepend"}
                )
                harmed[case] = page.evaluate(HARM)
                root_sizes.append(
                    page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
                )
            barriers[case] = Axe().run(page, context="room-chat").response["violations"]
        page.evaluate("document.querySelector('[data-framework]').remove()")

    # Pico enlarges the text of the page around the room.
    assert max(root_sizes) > 16
    assert {"room", "menu", "room-menu", "emoji-picker", "people", "search", "ban", "settings"} < set(states)
    assert changed == dict.fromkeys(changed, [])
    assert harmed == dict.fromkeys(harmed, [])
    assert barriers == dict.fromkeys(barriers, [])


def test_a_dialog_below_its_maximum_height_has_no_inner_scrolling(embedded: Page) -> None:
    found = embedded.evaluate(INNER_SCROLLING)

    assert len(found) > 10
    assert [row for row in found if row[1:] != [True, 0]] == []
