"""Sample conversations for the example's rooms, so that they are not empty at first sight. `manage.py demo`
loads them once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone

from django_roomchat import (
    add_member,
    attach_file,
    create_room,
    direct_room,
    edit_message,
    mark_read,
    pin_message,
    post_message,
    react,
)
from django_roomchat.models import Attachment, Message, Room, RoomLog
from django_roomchat.protocol import FileToPost

PASSWORD = "roomchat"
"""Password of Ana, who has all permissions. The account is created only if DEBUG is on."""

NAMES = {
    "ana": ("Ana", "Silva"),
    "minjun": ("김민준", ""),
    "yuki": ("佐藤由紀", ""),
    "layla": ("ليلى حداد", ""),
    "lucas": ("Lucas", "Dubois"),
    "sofia": ("Sofía", "Ruiz"),
    "tom": ("Tom", "Becker"),
    "mei": ("陈美", ""),
}
OPEN, PRIVATE, DIRECT = "open", "private", "direct"


@dataclass(frozen=True)
class Said:
    minutes_ago: int
    who: str
    body: str
    answers: int | None = None
    """Index, in the same room's list, of the message that this one replies to."""
    reactions: Mapping[str, str] = field(default_factory=dict)
    """Usernames of those who reacted, separated by spaces, by emoji."""
    was: str = ""
    """Text of the message before it was edited."""
    is_pinned: bool = False
    picture: str = ""
    """Name of the function of :mod:`example_project.pictures` that draws the picture."""
    alt: str = ""


@dataclass(frozen=True)
class Story:
    title: str
    said: tuple[Said, ...]
    unread_by_ana: int = 0
    kind: str = OPEN
    members: tuple[str, ...] = ()
    """Members of a room that is not open; the first is its owner."""


DAY = 24 * 60
STORIES = [
    Story(
        "Trip to Busan",
        kind=PRIVATE,
        members=("ana", "minjun", "sofia"),
        said=(
            Said(2 * DAY + 95, "minjun", "KTX 표는 제가 예약할게요. 금요일 저녁 괜찮아요?"),
            Said(2 * DAY + 90, "ana", "Friday evening is perfect. 고마워요!", reactions={"🙏": "minjun"}),
            Said(2 * DAY + 61, "sofia", "I bring the camera and too many snacks 🍊 This was last year.", picture="evening", alt="A low red sun over blue hills", reactions={"😂": "ana minjun"}),
        ),
    ),
    Story(
        "",
        kind=DIRECT,
        members=("tom", "ana"),
        said=(
            Said(DAY + 340, "tom", "Can you look at my slides before Monday?"),
            Said(DAY + 335, "ana", "Sure. Send them over."),
        ),
    ),
    Story(
        "한국어 카페",
        said=(
            Said(DAY + 130, "minjun", "여기는 한국어로 이야기하는 방입니다. 천천히 쓰셔도 됩니다 ☕", is_pinned=True),
            Said(DAY + 126, "yuki", "안녕하세요! 저는 일본 사람이고, 한국어를 공부한 지 이 년 됐어요."),
            Said(DAY + 124, "minjun", "와, 정말 자연스러워요.", answers=1, reactions={"👏": "ana mei"}),
            Said(DAY + 119, "ana", "‘괜찮아요’와 ‘좋아요’는 어떻게 달라요?"),
            Said(DAY + 116, "minjun", "‘좋아요’는 마음에 든다는 말이고, ‘괜찮아요’는 나쁘지 않다는 말이에요.", answers=3),
        ),
    ),
    Story(
        "Bread",
        said=(
            Said(410, "sofia", "Does it work with rye? I only have dark rye at home."),
            Said(402, "tom", "Half rye, half wheat works. All rye stays flat.", answers=0, reactions={"👍": "sofia lucas"}),
            Said(371, "lucas", "Chez moi la pâte colle énormément. Plus de farine ?"),
            Said(368, "ana", "No, wet hands! The dough should be sticky.", answers=2, reactions={"🙌": "lucas"}),
            Said(95, "mei", "没有铸铁锅，可以用普通的烤盘吗？"),
            Said(92, "ana", "Yes: a tray, and a cup of hot water on the floor of the oven for the steam.", answers=4),
            Said(31, "layla", "خرج من الفرن الآن، والبيت كله رائحة خبز 😍", reactions={"❤️": "ana mei sofia", "🍞": "tom"}),
        ),
    ),
    Story(
        "Book club",
        unread_by_ana=2,
        said=(
            Said(DAY + 520, "ana", "Until Sunday: “The Time Machine”, chapters 5 to 8. No spoilers beyond them, please.", is_pinned=True),
            Said(DAY + 470, "tom", "What strikes me is how little he is afraid at first. He lands in the year 802,701 and thinks about his matches."),
            Said(DAY + 466, "yuki", "マッチは最後まで大事ですね。火は彼の知っている世界の名残だと思いました。"),
            Said(DAY + 461, "tom", "“The matches are what is left of the world he knows.” I had not seen that.", answers=2, reactions={"🤔": "ana", "👏": "ana lucas yuki"}),
            Said(180, "lucas", "And Weena? Is she a person to him, or a souvenir?"),
            Said(171, "layla", "سؤال جيد. أظن أنه لا يعرف الجواب هو نفسه.", answers=4),
            Said(12, "sofia", "He brings back two flowers and calls them proof. So: both.", answers=4, reactions={"❤️": "layla", "📖": "tom lucas"}),
        ),
    ),
    Story(
        "Lobby",
        said=(
            Said(DAY + 212, "ana", "Welcome to the lobby 👋 Open this page in a second window and say hello.", reactions={"👋": "minjun layla tom"}, is_pinned=True),
            Said(DAY + 205, "minjun", "안녕하세요! 어떤 언어로 말해도 됩니다. 방 이름도 한국어로 지을 수 있어요.", reactions={"❤️": "ana yuki"}),
            Said(DAY + 201, "layla", "مرحبا! أكتب من اليمين إلى اليسار، ولا شيء ينكسر 🙂"),
            Said(DAY + 199, "tom", "And it stands well beside left to right: مرحبا Layla."),
            Said(64, "yuki", "おはようございます。電車の中で切れても、順番はそのままでした。"),
            Said(58, "lucas", "I have switched off the wifi in the middle of a message. It went out by itself when I was back.", reactions={"🎉": "ana sofia mei"}),
            Said(55, "sofia", "A mí también me pasó en el metro. Ni un mensaje perdido.", answers=5),
            Said(54, "sofia", "¿Y si cierro la ventana?"),
            Said(41, "ana", "Close it and come back later: the conversation is still here.", answers=7),
            Said(23, "tom", "Try the button beside a message: answer, react, edit, pin, copy its link.", was="Try the button besides a message.", reactions={"👍": "mei"}),
            Said(15, "minjun", "오늘 아침 산책길입니다.", picture="morning", alt="Hills in the morning mist", reactions={"😍": "ana layla yuki"}),
            Said(9, "mei", "搜索也能找到中文吗？"),
            Said(8, "ana", "Yes, try 搜索 in the search.", answers=11),
            Said(7, "layla", "وبالعربية أيضا: البحث يجد كل شيء.", reactions={"🎉": "ana mei"}),
        ),
    ),
]  # fmt: skip


def tell() -> None:
    """Post the sample conversations with times in the past. Repeating this changes nothing."""
    people = {username: _person(username) for username in NAMES}
    for story in STORIES:
        _tell(story, people)


def _person(username: str) -> Any:
    first, last = NAMES[username]
    known, is_new = get_user_model().objects.get_or_create(
        username=username, defaults={"first_name": first, "last_name": last}
    )
    if is_new:
        known.set_unusable_password()
        if username == "ana" and settings.DEBUG:
            known.is_staff = known.is_superuser = True
            known.set_password(PASSWORD)
        known.save()
    return known


def _tell(story: Story, people: Mapping[str, Any]) -> None:
    room = _room(story, people)
    seqs: list[int] = []
    for place, said in enumerate(story.said):
        # Each message has a fixed id, so posting it again has no effect.
        author, id = people[said.who], f"demo-{place}"
        posted = post_message(
            room,
            said.was or said.body,
            author=author,
            id=id,
            reply_to=None if said.answers is None else seqs[said.answers],
            files=_files(room, story.title, said, author, id),
        )
        seqs.append(posted.seq)
        if not posted.duplicate:
            _finish(posted.room, posted.seq, said, people)
    if not story.unread_by_ana:
        return
    mark_read(room, seqs[-1 - story.unread_by_ana], by=people["ana"])


def _files(room: str | Room, title: str, said: Said, author: Any, id: str) -> list[FileToPost]:
    """Draw and upload a picture, or return the existing upload: a repeated post must be identical to the
    first.
    """
    if not said.picture or find_spec("PIL") is None:
        return []
    told = Message.objects.filter(room__title=title, author_id=author.pk, client_id=id).first()
    file = Attachment.objects.filter(room=told.room, seq=told.seq).first() if told else None
    if file is None:
        picture = getattr(import_module("example_project.pictures"), said.picture)()
        file = attach_file(room, picture, f"{said.picture}.jpg", by=author)
    return [FileToPost(str(file.pk), said.alt)]


def _room(story: Story, people: Mapping[str, Any]) -> str | Room:
    members = [people[who] for who in story.members]
    if story.kind == DIRECT:
        return direct_room(*members)
    if story.kind == OPEN:
        return story.title
    mine = Room.objects.filter(
        title=story.title, visibility=story.kind, memberships__user=members[0], memberships__role="owner"
    )
    room = mine.first() or create_room(story.title, by=members[0], visibility=PRIVATE)
    for member in members[1:]:
        add_member(room, member, by=members[0])
    return room


def _finish(room: str, seq: int, said: Said, people: Mapping[str, Any]) -> None:
    if said.was:
        edit_message(room, seq, said.body, by=people[said.who])
    for emoji, whose in said.reactions.items():
        for who in whose.split():
            react(room, seq, emoji, by=people[who])
    if said.is_pinned:
        pin_message(room, seq)
    # Only for sample data: move the messages into the past.
    at = timezone.now() - timedelta(minutes=said.minutes_ago)
    Message.objects.filter(room__name=room, seq=seq).update(
        created_at=at, edited_at=at + timedelta(minutes=1) if said.was else None
    )
    RoomLog.objects.filter(room__name=room).update(changed_at=at)
