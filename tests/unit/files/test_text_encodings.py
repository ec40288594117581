"""Texts in UTF-16 and in the older encodings of East Asia and Windows are texts."""

import random
from collections import Counter

import pytest
from babel.messages.pofile import read_po

from django_roomchat.files.content_types import detect
from tests.support.sentences import PACKAGE


def catalog(language):
    with (PACKAGE / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=language)


@pytest.mark.parametrize(
    ("text", "encoding", "kind"),
    [
        ("이름,부서\r\n김철수,영업1팀\r\n", "cp949", "text/plain; charset=euc-kr"),
        ("똠방각하 펲시콜라", "cp949", "text/plain; charset=euc-kr"),
        ("名前,部署\r\nやまだ,営業\r\n", "cp932", "text/plain; charset=shift_jis"),
        ("ファイル①のメモです", "cp932", "text/plain; charset=shift_jis"),
        ("会议记录，请大家查看。", "gb18030", "text/plain; charset=gb18030"),
        ("會議記錄，請大家查看。", "big5", "text/plain; charset=big5"),
        ("파일", "cp949", "text/plain; charset=euc-kr"),
        ("ㅋㅋ 2026년 회의", "cp949", "text/plain; charset=euc-kr"),
        ("会议 file list for the team", "gb2312", "text/plain; charset=gb18030"),
        ("名前,部署,東京都,営業部\r\n", "cp932", "text/plain; charset=shift_jis"),
        ("ﾃｽﾄ 資料のメモ", "cp932", "text/plain; charset=shift_jis"),
        ("会議の資料です。ご確認ください。", "euc_jp", "text/plain; charset=euc-jp"),
        ("Привет, друг", "cp1251", "text/plain; charset=windows-1251"),
        ("Имя;Отдел\r\nЮлия;«Продажи» № 1\r\n", "cp1251", "text/plain; charset=windows-1251"),
        ("ПРОТОКОЛ СОБРАНИЯ", "cp1251", "text/plain; charset=windows-1251"),
        ("Зустріч о п’ятій, їжа є", "cp1251", "text/plain; charset=windows-1251"),
        ("Name;Größe\r\nMüller;5 €\r\nÄrzte;“alt”\r\n", "cp1252", "text/plain; charset=windows-1252"),
        ("Ärzte", "cp1252", "text/plain; charset=windows-1252"),
        ("Où est l’été ? Déjà vu… à Noël", "cp1252", "text/plain; charset=windows-1252"),
        ("it’s “fine” – OK", "cp1252", "text/plain; charset=windows-1252"),
        ("¿Qué pasó? 20 °C, ½ año, ÉXITO", "cp1252", "text/plain; charset=windows-1252"),
        ("La chat è aperta; è tardi, e lui è qui", "cp1252", "text/plain; charset=windows-1252"),
        ("x" * 3_000 + " café", "latin-1", "text/plain; charset=windows-1252"),
        ("hi", "utf-16", "text/plain; charset=utf-16le"),
        ("\ufeff메모장\r\n", "utf-16-le", "text/plain; charset=utf-16le"),
        ("\ufeffnotes", "utf-16-be", "text/plain; charset=utf-16be"),
        ("메모, メモ, 记录", "utf-8", "text/plain"),
        ("\ufeffa\0b", "utf-16-le", "application/octet-stream"),
        ("caf\x07é", "cp1252", "application/octet-stream"),
        # Languages whose encodings are not guessed. Their bytes are valid in windows-1251 and windows-1252.
        ("Καλημέρα κόσμε", "cp1253", "application/octet-stream"),
        ("Привет, друг", "koi8-r", "application/octet-stream"),
        ("Zażółć gęślą jaźń", "cp1250", "application/octet-stream"),
        ("مرحبا بالعالم", "cp1256", "application/octet-stream"),
        ("สวัสดีชาวโลก", "cp874", "application/octet-stream"),
    ],
)
def test_a_text_of_an_office_program_is_a_text_with_its_charset(text, encoding, kind):
    content = text.encode(encoding)

    assert detect([content]) == kind
    assert detect(content[place : place + 1] for place in range(len(content))) == kind


@pytest.mark.parametrize(
    ("language", "encoding", "charset"),
    [
        ("de", "cp1252", "windows-1252"),
        ("es", "cp1252", "windows-1252"),
        ("fr", "cp1252", "windows-1252"),
        ("pt_BR", "cp1252", "windows-1252"),
        ("ja", "cp932", "shift_jis"),
        ("ja", "euc_jp", "euc-jp"),
        ("ko", "cp949", "euc-kr"),
        ("zh_Hans", "gb2312", "gb18030"),
    ],
)
def test_the_translations_of_the_page_are_texts_in_the_encoding_of_their_language(
    language, encoding, charset
):
    lines = [message.string for message in catalog(language) if message.id and not message.pluralizable]
    texts = ["\n".join(lines[start : start + 20]) for start in range(0, len(lines), 20)]

    found = Counter(detect([text.encode(encoding, "ignore")]) for text in texts)

    assert found == {f"text/plain; charset={charset}": len(texts)}


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_no_text(seed):
    # All bytes but those that no text contains: nothing but the look of the text tells them apart.
    allowed = [9, 10, 13, *range(32, 127), *range(160, 256)]
    content = bytes(random.Random(seed).choices(allowed, k=200))

    assert detect([content]) == "application/octet-stream"
