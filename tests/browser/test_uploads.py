"""Uploads: progress, cancelling, retrying, rejected files, and messages that wait for their files."""

import re
from typing import Any

from playwright.sync_api import FilePayload, Page, expect

from tests.browser.files import (
    UPLOADS,
    attach,
    choose,
    complaints,
    field,
    hold,
    is_painted,
    page,
    pair,
    picture,
    send,
    site,
    strip,
    text,
)
from tests.browser.page import failed, pending, sent

__all__ = ["complaints", "page", "pair", "site"]  # fixtures


def test_an_upload_shows_how_far_it_is(page: Page) -> None:
    line = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 100_000}
    line.send("Network.emulateNetworkConditions", slow)
    choose(page, text("long.txt", b"word " * 70_000))
    bar = page.get_by_role("progressbar", name="Uploading long.txt")

    expect(bar).to_be_visible()
    # Asked for in the page itself: the policy forbids what wait_for_function() does.
    page.evaluate(
        """() => new Promise((done) => {
          const bar = document.querySelector(".roomchat-upload progress");
          const look = () => (0 < bar.value && bar.value < 1 ? done() : requestAnimationFrame(look));
          look();
        })"""
    )
    line.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    expect(bar).to_be_hidden()
    expect(page.locator("[data-part=attach-status]")).to_have_text("long.txt is attached.")


def test_an_upload_can_be_cancelled_on_its_way_and_thrown_away_afterwards(page: Page) -> None:
    hold(page)
    choose(page, text("one.txt"))
    expect(page.get_by_role("progressbar")).to_be_visible()
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Remove one.txt").click()
    expect(strip(page)).to_have_count(0)
    expect(field(page)).to_be_focused()
    attach(page, text("two.txt"))
    with page.expect_response(lambda response: response.request.method == "DELETE") as taken_back:
        page.get_by_role("button", name="Remove two.txt").click()

    assert taken_back.value.ok
    expect(strip(page)).to_have_count(0)


def test_a_failed_upload_says_why_and_can_be_tried_again(page: Page) -> None:
    refusal = {"error": {"code": "rate_limited", "detail": "Not so many at once."}}
    page.route(UPLOADS, lambda route: route.fulfill(status=429, json=refusal), times=1)
    choose(page, picture())
    expect(strip(page).get_by_role("alert")).to_have_text("Not so many at once.")
    send(page, "look")
    expect(strip(page).get_by_role("button", name="Retry")).to_be_focused()
    expect(pending(page)).to_have_count(0)
    page.keyboard.press("Enter")
    expect(strip(page).and_(page.locator("[data-state=done]"))).to_have_count(1)
    field(page).press("Enter")

    expect(sent(page)).to_have_count(1)
    is_painted(page.get_by_role("img", name="cat.png"))


def test_what_the_server_finds_inside_is_told(page: Page) -> None:
    choose(page, text("program.txt", b"\x7fELF" + bytes(range(256))))

    expect(strip(page).get_by_role("alert")).to_have_text(
        re.compile(
            r"Files of this type are not accepted here\. Accepted: JPEG, PNG, .*text files, ZIP.*MOV.*\."
        )
    )
    expect(strip(page).get_by_role("button", name="Retry")).to_be_hidden()


def test_an_upload_goes_on_when_the_network_is_back(page: Page) -> None:
    page.route(UPLOADS, lambda route: route.abort(), times=1)
    choose(page, text())

    expect(strip(page)).to_contain_text("Waiting for the network…")
    expect(strip(page)).to_contain_text("0.1 KB")
    expect(strip(page)).to_have_attribute("data-state", "done")


def test_what_cannot_be_taken_is_told_before_it_is_sent(page: Page) -> None:
    uploads: list[str] = []
    page.on("request", lambda request: uploads.append(request.url) if request.method == "POST" else None)
    bitmap: FilePayload = {"name": "old.bmp", "mimeType": "image/bmp", "buffer": b"BM"}
    choose(page, text("long.txt", b"x" * 400_001), text("empty.txt", b""), bitmap)

    for told in (
        "long.txt is too big. The limit is 391 KB.",
        "empty.txt is empty.",
        "old.bmp is not accepted here. Accepted: JPEG, PNG, GIF, WebP, AVIF, HEIC, PDF, text files, ZIP, Office documents",
    ):
        expect(page.locator("[data-part=notice]")).to_contain_text(told)
    expect(strip(page)).to_have_count(0)
    assert uploads == []


def test_what_is_too_many_is_told_and_the_rest_is_taken(page: Page) -> None:
    choose(page, *(text(f"{number}.txt") for number in range(4)))

    expect(page.locator("[data-part=notice]")).to_contain_text("A message can have at most 3 files.")
    expect(strip(page)).to_have_count(3)


def test_a_big_photo_is_made_smaller_before_it_is_sent(page: Page) -> None:
    photo = picture("holiday.jpg", size=(4000, 3000), kind="jpeg")
    with page.expect_response(UPLOADS) as uploaded:
        choose(page, photo)

    answer: dict[str, Any] = uploaded.value.json()
    assert (answer["width"], answer["height"], answer["type"]) == (2560, 1920, "image/jpeg")


def test_a_message_waits_for_its_files_and_those_behind_it_wait_with_it(pair: tuple[Page, Page]) -> None:
    ana, bo = pair
    release = hold(ana)
    choose(ana, picture())
    expect(strip(ana)).to_have_count(1)
    send(ana, "first")
    send(ana, "second")
    expect(strip(ana)).to_have_count(0)
    expect(pending(ana)).to_have_count(2)
    expect(pending(ana).first.get_by_role("progressbar", name="Uploading cat.png")).to_be_visible()
    expect(pending(ana).first.locator("canvas")).to_be_visible()
    expect(pending(ana).first).to_contain_text("Waiting for file uploads…")
    release().continue_()

    expect(bo.locator("li .roomchat-body")).to_have_text(["first", "second"])
    expect(sent(ana).locator(".roomchat-body")).to_have_text(["first", "second"])
    is_painted(ana.get_by_role("img", name="cat.png"))
    expect(ana.locator("canvas")).to_have_count(0)


def test_a_message_that_waits_for_its_files_can_be_taken_back(page: Page) -> None:
    hold(page)
    choose(page, picture())
    send(page, "first")
    with page.expect_event("requestfailed"):
        pending(page).get_by_role("button", name="Delete").click()
    say_after = "second"
    send(page, say_after)

    expect(sent(page).locator(".roomchat-body")).to_have_text([say_after])
    expect(page.locator("li.roomchat-message")).to_have_count(1)


def test_a_message_whose_file_is_refused_has_failed_and_can_be_sent_again(page: Page) -> None:
    release = hold(page)
    choose(page, picture())
    send(page, "look")
    expect(pending(page)).to_have_count(1)
    release().fulfill(status=503, json={"error": {"code": "unavailable", "detail": "Not just now."}})
    expect(failed(page)).to_contain_text("Not just now.")
    failed(page).get_by_role("button", name="Retry").click()

    expect(sent(page)).to_have_count(1)
    is_painted(sent(page).get_by_role("img", name="cat.png"))


def test_a_page_that_is_closed_during_an_upload_keeps_the_words(page: Page) -> None:
    hold(page)
    choose(page, picture())
    send(page, "important words")
    expect(pending(page)).to_have_count(1)
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()

    expect(failed(page)).to_contain_text("important words")
    expect(failed(page)).to_contain_text("the page was closed before its files were uploaded")
    assert asked == ["beforeunload"]
    failed(page).get_by_role("button", name="Retry").click()
    expect(sent(page).locator(".roomchat-body")).to_have_text(["important words"])
