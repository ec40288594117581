"""Texts in UTF-16 and in the older encodings of East Asia are texts."""

import pytest

from django_roomchat.files.content_types import detect


@pytest.mark.parametrize(
    ("text", "encoding", "kind"),
    [
        ("이름,부서\r\n김철수,영업1팀\r\n", "cp949", "text/plain; charset=euc-kr"),
        ("똠방각하 펲시콜라", "cp949", "text/plain; charset=euc-kr"),
        ("名前,部署\r\nやまだ,営業\r\n", "cp932", "text/plain; charset=shift_jis"),
        ("ファイル①のメモです", "cp932", "text/plain; charset=shift_jis"),
        ("会议记录，请大家查看。", "gb18030", "text/plain; charset=gb18030"),
        ("會議記錄，請大家查看。", "big5", "text/plain; charset=big5"),
        ("Привет, друг", "cp1251", "application/octet-stream"),
        ("hi", "utf-16", "text/plain; charset=utf-16le"),
        ("\ufeff메모장\r\n", "utf-16-le", "text/plain; charset=utf-16le"),
        ("\ufeffnotes", "utf-16-be", "text/plain; charset=utf-16be"),
        ("메모, メモ, 记录", "utf-8", "text/plain"),
        ("\ufeffa\0b", "utf-16-le", "application/octet-stream"),
    ],
)
def test_a_text_of_an_office_program_is_a_text_with_its_charset(text, encoding, kind):
    content = text.encode(encoding)

    assert detect([content]) == kind
    assert detect(content[place : place + 1] for place in range(len(content))) == kind
