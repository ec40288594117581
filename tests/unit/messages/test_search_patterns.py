"""Search patterns: words are found in every script, whatever their case, diacritics and typography."""

import pytest

from django_roomchat.identity import Identity
from django_roomchat.messages.post import post_message
from django_roomchat.messages.search import search_messages

pytestmark = pytest.mark.django_db(transaction=True)
ANA = Identity("g:ana", "Ana", is_guest=True)


def said(*bodies):
    for body in bodies:
        post_message("lobby", body, name="Bo")


def found(query):
    return [(hit.room, hit.seq) for hit in search_messages(query, by=ANA).hits]


def excerpts(query):
    return [hit.excerpt for hit in search_messages(query, by=ANA).hits]


SCRIPTS = [
    ("안녕하세요 여러분", "안녕"),
    ("회의는 세 시", "\u1112\u116c\u110b\u1174"),  # in parts, as macOS types file names
    ("明日の会議は三時です", "会議"),
    ("コーヒーを飲む", "ｺｰﾋｰ"),
    ("ｶﾞﾗｽを割った", "ガラス"),
    ("我们明天见面", "明天"),
    ("Привет, МИР!", "привет мир"),
    ("Καλημέρα ΚΌΣΜΕ", "κόσμε"),
    ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
    ("CAFE\u0301 au lait", "café"),
    ("Die Straße", "STRASSE"),
    ("İstanbul", "i\u0307stanbul"),
    ("Ｆｕｌｌ width", "full"),
    ("plain", "Ｐlain"),
    ("مرحبا بالعالم", "بالعالم"),
    ("100% [sure] (a.b) C++ \\ ^$", "100% [sure] (a.b) C++ \\ ^$"),
    ("🎉 party", "🎉"),
    ("two\nlines", '"TWO LINES"'),
    ("we meet next week", "“next week”"),
    ("we meet next week", "„next week“"),
    ("we meet next week", "«next week»"),
    ("we meet next week", "「next week」"),
    ("we meet next week", "‘next week’ 'we meet'"),
    ("I don’t know", "don't"),
    ("I don't know", "don’t"),
    ("a 5” disc, e‑mail", '5" e-mail'),
    ("le café", "cafe"),
    ("el niño", "nino"),
    ("Herr Müller", "muller"),
    ("HERR MULLER", "müller"),
    ("cafe\u0301 x\u0302y", "CAFE xy"),
    ("Ænima, Øresund, Łódź, þing", "aenima oresund lodz thing"),
    ("Việt Nam", "viet"),
    ("ещё ёлка", "еще елка"),
    ("Καλημέρα", "καλημερα"),
    ("مُحَمَّد", "محمد"),
    ("محمد", "مُحَمَّد"),
    ("أحمد إلى الآن", "احمد الى الان"),
    ("מִלָּה שלום", "מלה"),
    ("צה״ל קנה ג׳ירפה", "צה\"ל ג'ירפה"),
    ("צה\"ל קנה ג'ירפה", "צה״ל ג׳ירפה"),
    ("نمی\u200cخواهم", "نمیخواهم"),
    ("نمیخواهم", "نمی\u200cخواهم"),
    ("Straße MASSE", "strasse maße"),
]


@pytest.mark.parametrize(("body", "query"), SCRIPTS)
def test_words_are_found_in_every_script(body, query):
    said(body, "something else")

    assert found(query) == [("lobby", 1)]


@pytest.mark.parametrize(("body", "query"), SCRIPTS)
def test_words_are_found_in_every_script_on_postgresql(on_postgres, body, query):
    said(body, "something else")

    assert found(query) == [("lobby", 1)]


@pytest.mark.parametrize(
    ("body", "query"),
    [
        ("мои", "мой"),
        ("か", "が"),
        ("के", "क ा"),
        ("ปา", "ป้า"),
        ("next day week", "“next week”"),
        ("dont", "don't"),
    ],
)
def test_letters_that_distinguish_words_are_not_ignored(body, query):
    said(body)

    assert found(query) == []


def test_the_longest_query_is_searched():
    said("e" * 200, "é" * 199)

    assert found("É" * 200) == [("lobby", 1)]


def test_the_longest_query_is_searched_on_postgresql(on_postgres):
    said("e" * 200, "é" * 199)

    assert found("É" * 200) == [("lobby", 1)]


def test_a_hit_is_marked_with_its_diacritics():
    said("un café, مُحَمَّد!")

    assert excerpts("cafe محمد") == [["un ", "café", ", ", "مُحَمَّد", "!"]]
