"""Writing and reading in Safari's engine: enter, send, input method, reply, edit, react, files, search, drafts, a lost connection."""

from pathlib import Path

from selenium.webdriver import Keys

from tests.browser.club import make_club
from tests.browser.files import picture, text
from tests.services.server import Server
from tests.services.shell import run_at
from tests.webkit.window import BODIES, COMPOSER, SENT, Window

ABOUT = "[data-part=about]"


def say_from_elsewhere(site: Server, room: str, *texts: str) -> None:
    run_at(
        site,
        f"""
from django_roomchat import post_message
from django_roomchat.identity import Identity
for number, body in enumerate({texts!r}):
    post_message({room!r}, body, author=Identity("t:Bo", "Bo"), id=f"elsewhere-{{number}}")
""",
    )


def test_a_room_is_entered_by_its_name_and_two_windows_talk(ana: Window, kim: Window) -> None:
    ana.open("/chat/")
    ana.type("카페 1" + Keys.ENTER, "input[name=room]")
    ana.is_connected()
    kim.enter("카페 1")
    ana.say("안녕하세요")
    kim.reads(BODIES, "안녕하세요")
    kim.say("two")
    kim.type(Keys.SHIFT + Keys.ENTER + Keys.SHIFT + "lines")
    kim.type("half")
    ana.reads(BODIES, "안녕하세요", "two")

    ana.reload()

    ana.reads(BODIES, "안녕하세요", "two")
    assert kim.value() == "\nlineshalf"


def test_the_enter_that_ends_a_composition_does_not_send(ana: Window, room: str) -> None:
    ana.enter(room)
    # GTK's own input method: Ctrl+Shift+U and a hexadecimal number compose a character, which Enter confirms.
    ana.type("x")
    ana.press("u", holding=Keys.CONTROL + Keys.SHIFT)
    ana.press(*"d55c")
    ana.shows(ana.value, "xud55c")
    ana.press(Keys.ENTER)
    ana.shows(ana.value, "x한")
    assert ana.texts(BODIES) == []

    ana.press(Keys.ENTER)

    ana.reads(BODIES, "x한")


# Safari on a Mac ends the composition before it reports the key that ended it; other browsers report the key first.
ENTER_OF_SAFARI = """() => {
  const input = document.querySelector("[data-part=input]");
  const composition = (type, data) => input.dispatchEvent(new CompositionEvent(type, { bubbles: true, data }));
  composition("compositionstart", "");
  composition("compositionupdate", "안녕");
  composition("compositionend", "안녕");
  const about = { key: "Enter", code: "Enter", keyCode: 229, isComposing: false, bubbles: true, cancelable: true };
  return input.dispatchEvent(new KeyboardEvent("keydown", about));
}"""


def test_the_enter_that_follows_a_composition_does_not_send(ana: Window, room: str) -> None:
    ana.enter(room)
    ana.type("안녕")
    assert ana.js(ENTER_OF_SAFARI) is True
    assert (ana.value(), ana.texts(BODIES)) == ("안녕", [])

    ana.press(Keys.ENTER)

    ana.reads(BODIES, "안녕")


def test_a_message_is_replied_to_and_edited(site: Server, ana: Window, kim: Window, room: str) -> None:
    make_club(site, room, ("kim", "When do we meet?"))
    ana.enter(room)
    kim.enter(room)
    ana.choose_of_message(1, "reply")
    ana.has_focus(COMPOSER)
    ana.say("At nine")
    kim.sees("#m-2 .roomchat-quote")
    assert kim.texts("#m-2 .roomchat-quote")[0].endswith("When do we meet?")

    ana.press(Keys.ARROW_UP)
    ana.shows(ana.value, "At nine")
    ana.say(" or ten")

    for window in (ana, kim):
        window.reads("#m-2 .roomchat-body", "At nine or ten")
    ana.shows(ana.value, "")


def test_reactions_are_given_from_the_menu_the_list_of_emoji_and_by_a_click(
    site: Server, ana: Window, kim: Window, room: str
) -> None:
    make_club(site, room, ("kim", "Done"))
    ana.enter(room)
    kim.enter(room)
    ana.menu_of(1)
    ana.click("[data-part=menu] [data-emoji='👍']")
    kim.reads("#m-1 .roomchat-reaction", "👍 1")
    kim.click("#m-1 .roomchat-reaction")
    ana.reads("#m-1 .roomchat-reaction", "👍 2")

    ana.choose_of_message(1, "react-more")
    ana.type("rocket", "[data-part=emoji-search]")
    ana.sees("[data-part=emoji-picker] button[aria-label=rocket]")
    ana.press(Keys.ENTER)

    for window in (ana, kim):
        window.reads("#m-1 .roomchat-reaction", "👍 2", "🚀 1")


def test_emoji_and_names_are_completed(site: Server, ana: Window, room: str) -> None:
    make_club(site, room, ("kim", "Hello"))
    ana.enter(room)
    ana.type("yes :thu")
    ana.sees("[data-part=options]")
    ana.press(Keys.ENTER)
    ana.shows(ana.value, "yes 👍 ")
    ana.type("@김")
    ana.sees("[data-part=options]")
    ana.press(Keys.TAB)
    ana.shows(ana.value, "yes 👍 @김민수 ")

    ana.press(Keys.ENTER)

    ana.reads("#m-2 .roomchat-mention", "@김민수")


def test_files_are_sent_and_a_picture_is_opened(
    site: Server, ana: Window, kim: Window, room: str, tmp_path: Path
) -> None:
    make_club(site, room)
    files = [picture("large.png", size=(1300, 1000)), text("notes.txt")]
    for file in files:
        (tmp_path / file["name"]).write_bytes(file["buffer"])
    ana.enter(room)
    kim.enter(room)
    chooser = ana.driver.find_element("css selector", "[data-part=attach] input")
    chooser.send_keys("\n".join(str(tmp_path / file["name"]) for file in files))
    ana.sees(".roomchat-upload[data-state=done]", 2)
    ana.say("look")

    for window in (ana, kim):
        window.sees_picture("#m-1 .roomchat-picture img")
        window.reads("#m-1 .roomchat-file-link bdi", "notes.txt")
    kim.click("#m-1 .roomchat-picture")
    kim.sees_picture("dialog[open] [data-part=lightbox-image]", 1300)
    kim.press(Keys.ESCAPE)
    kim.misses("dialog[open]")


def test_a_photo_is_made_smaller_before_it_is_sent(
    site: Server, ana: Window, room: str, tmp_path: Path
) -> None:
    make_club(site, room)
    photo = picture("holiday.jpg", size=(3200, 2400), kind="jpeg")
    (tmp_path / "holiday.jpg").write_bytes(photo["buffer"])
    ana.enter(room)
    ana.driver.find_element("css selector", "[data-part=attach] input").send_keys(
        str(tmp_path / "holiday.jpg")
    )
    ana.sees(".roomchat-upload[data-state=done]")
    ana.say("")
    ana.sees(SENT)
    ana.sees_picture("#m-1 .roomchat-picture img")

    ana.click("#m-1 .roomchat-picture")
    ana.sees_picture("dialog[open] [data-part=lightbox-image]", 2560)


def test_what_was_said_is_found_and_gone_to(site: Server, ana: Window, room: str) -> None:
    make_club(site, room)
    say_from_elsewhere(site, room, "다음 주 회의는 화요일에 합니다", *(f"Line {n}" for n in range(120)))
    ana.enter(room)
    ana.press("k", holding=Keys.CONTROL)
    ana.type("회의", "[data-part=search] [name=query]")
    ana.reads("[data-part=hits] mark", "회의")
    ana.press(Keys.ENTER)

    ana.misses("dialog[open]")
    ana.has_focus("#m-1")
    ana.shows(
        lambda: ana.js(
            """() => {
              const box = document.querySelector("#m-1").getBoundingClientRect();
              const log = document.querySelector("[data-part=log]").getBoundingClientRect();
              return box.top >= log.top && box.bottom <= log.bottom;
            }"""
        ),
        True,
    )


def test_who_reads_further_up_is_not_moved(site: Server, ana: Window, kim: Window, room: str) -> None:
    make_club(site, room)
    say_from_elsewhere(site, room, *(f"Line {n}" for n in range(60)))
    ana.enter(room)
    kim.enter(room)
    ana.js("() => document.querySelector('[data-part=log]').scrollBy(0, -700)")
    first = """() => {
      const { top } = document.querySelector("[data-part=log]").getBoundingClientRect();
      const message = [...document.querySelectorAll("li[data-seq]")].find((one) => one.getBoundingClientRect().bottom > top + 1);
      return [message.id, Math.round(message.getBoundingClientRect().top)];
    }"""
    before = ana.js(first)
    for number in range(3):
        kim.say(f"new {number}")
    ana.reads("[data-part=pill]", "↓ 3 new")
    assert ana.js(first) == before

    ana.click("[data-part=pill]")

    ana.misses("[data-part=pill]")
    ana.shows(lambda: ana.js("() => document.querySelector('[data-part=log]').scrollTop"), 0)


def test_a_draft_and_its_target_survive_a_reload(site: Server, ana: Window, room: str) -> None:
    make_club(site, room, ("kim", "When do we meet?"))
    ana.enter(room)
    ana.choose_of_message(1, "reply")
    ana.type("half a thou")

    ana.reload()

    ana.shows(ana.value, "half a thou")
    assert ana.texts(ABOUT)[0].startswith("Reply to 김민수")
    ana.type("ght" + Keys.ENTER)
    ana.reads("#m-2 .roomchat-body", "half a thought")
    ana.reload()
    assert (ana.value(), ana.texts(ABOUT)) == ("", [])


def test_going_back_shows_the_room_with_what_came_meanwhile(
    site: Server, ana: Window, kim: Window, room: str
) -> None:
    make_club(site, room)
    ana.enter(room)
    kim.enter(room)
    ana.say("before")
    ana.sees(SENT)
    ana.type("aft")
    ana.js("() => { window.isSame = true; }")
    ana.open("/chat/")
    kim.say("meanwhile")
    kim.sees(SENT)

    ana.driver.back()

    ana.is_connected()
    # The page was in the back-forward cache, where no socket is open.
    assert ana.js("() => window.isSame") is True
    ana.reads(BODIES, "before", "meanwhile")
    assert ana.value() == "aft"
    ana.say("er")
    kim.reads(BODIES, "before", "meanwhile", "after")


def test_a_killed_server_comes_back_and_nothing_is_lost_or_doubled(
    site: Server, ana: Window, kim: Window, room: str
) -> None:
    make_club(site, room)
    windows = (ana, kim)
    for window in windows:
        window.enter(room)
    ana.say("before")
    kim.reads(BODIES, "before")

    site.kill()
    for window, said in zip(windows, ("from Ana", "from Kim"), strict=True):
        window.sees("room-chat[data-state=offline]")
        window.say(said)
        window.sees("li[data-state=pending]")
    site.start()

    for window in windows:
        window.sees("li[data-seq]:not([data-state])", 3)
        window.is_connected()
    assert ana.texts(BODIES) == kim.texts(BODIES)
    assert sorted(ana.texts(BODIES)) == ["before", "from Ana", "from Kim"]
