"""Each answer of a policy is checked: what is not a decision or a bool denies the action, and the log names the method."""

from functools import wraps

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.db import OperationalError

from django_roomchat.conf.hooks import HookError
from django_roomchat.errors import Forbidden, TryAgain
from django_roomchat.policy import (
    ALLOWED,
    NOT_ALLOWED,
    QUESTIONS,
    Decision,
    OpenPolicy,
    Policy,
    forget,
    policies,
    policy,
    rights,
)
from tests.support.policies import GUEST, NEW_ROOM, ROOM, raising

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


async def coroutine(who, *about):
    return False


async def generator(who, *about):
    yield False


ANSWERS = [
    (lambda *about: True, ALLOWED, []),
    (lambda *about: False, NOT_ALLOWED, []),
    (lambda *about: Decision(False, "No.", code="no"), Decision(False, "No.", code="no"), []),
    (lambda *about: None, NOT_ALLOWED, ["returned None"]),
    (lambda *about: (False, "no"), NOT_ALLOWED, ["returned (False, 'no')"]),
    (lambda *about: "Not on Sundays.", NOT_ALLOWED, ["returned 'Not on Sundays.'"]),
    (lambda *about: 1, NOT_ALLOWED, ["returned 1"]),
    (
        lambda *about: Decision("no"),
        NOT_ALLOWED,
        ["returned Decision(allowed='no', detail='', code='forbidden')"],
    ),
    (
        lambda *about: Decision(True, code=5),
        NOT_ALLOWED,
        ["returned Decision(allowed=True, detail='', code=5)"],
    ),
    (coroutine, NOT_ALLOWED, ["returned coroutine coroutine (it is asynchronous)"]),
    (generator, NOT_ALLOWED, ["returned async_generator generator (it is asynchronous)"]),
    (raising(ValueError("broken")), NOT_ALLOWED, ["raised ValueError('broken')"]),
    (raising(PermissionDenied()), NOT_ALLOWED, []),
    (raising(PermissionDenied("Only on Sundays.")), Decision(False, "Only on Sundays."), []),
    (raising(Forbidden("Full.", code="full")), Decision(False, "Full.", "full"), []),
]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(("answer", "decision", "logged"), ANSWERS)
def test_every_answer_of_every_method_is_a_decision(question, answer, decision, logged, caplog):
    kind = type("Mine", (OpenPolicy,), {question: lambda self, *about: answer(*about)})

    assert getattr(kind(), question)(GUEST, ROOM) == decision
    assert caplog.messages == [
        f"The policy's {__name__}.Mine.{question}() {what}, which denies the action; "
        "it has to return a Decision or a bool."
        for what in logged
    ]


def test_a_method_that_is_asynchronous_lets_nobody_in(settings, caplog):
    class Asynchronous(OpenPolicy):
        async def can_enter(self, who, room):
            return True

    class Converted(OpenPolicy):
        can_enter = sync_to_async(lambda self, who, room: True)

    settings.ROOMCHAT = {"POLICY": OpenPolicy}
    before = rights(GUEST, NEW_ROOM)
    after = []
    for kind in (Asynchronous, Converted):
        settings.ROOMCHAT = {"POLICY": kind}
        after.append(rights(GUEST, NEW_ROOM))

    assert (before, after) == (["post", "react", "report"], [[], []])
    assert [message.split("()")[0].rpartition(".")[2] for message in caplog.messages] == [
        "can_enter",
        "can_enter",
    ]


def test_a_method_that_another_method_of_the_policy_calls_is_checked_too():
    class Mine(OpenPolicy):
        async def can_moderate(self, who, room):
            return False

    assert Mine().can_invite(GUEST, ROOM) == NOT_ALLOWED


def test_a_method_of_a_class_that_is_no_policy_is_checked():
    class Mixin:
        async def can_enter(self, who, room):
            return False

    class Mine(Mixin, OpenPolicy):
        pass

    class Derived(Mine):
        def can_enter(self, who, room):
            return super().can_enter(who, room) or NOT_ALLOWED

    assert (Mine().can_enter(GUEST, ROOM), Derived().can_enter(GUEST, ROOM)) == (NOT_ALLOWED, NOT_ALLOWED)


def test_a_method_that_the_constructor_sets_is_checked(settings):
    class Mine(OpenPolicy):
        def __init__(self, answer):
            self.can_enter = lambda who, room: answer

    settings.ROOMCHAT = {"POLICY": lambda: Mine(True)}
    allowed = policy().can_enter(GUEST, ROOM)
    settings.ROOMCHAT = {"POLICY": lambda: Mine((False, "no"))}

    assert (allowed, policy().can_enter(GUEST, ROOM)) == (ALLOWED, NOT_ALLOWED)


def closed_on_sundays(kind):
    """A class decorator, whose method is not the one that the class statement defined."""

    @wraps(kind.can_enter)
    def can_enter(self, who, room):
        return (False, "It is Sunday.")

    kind.can_enter = can_enter
    return kind


@pytest.mark.parametrize("base", [OpenPolicy, closed_on_sundays(type("Closed", (OpenPolicy,), {}))])
def test_a_method_that_a_class_decorator_replaces_is_checked(settings, base):
    settings.ROOMCHAT = {"POLICY": OpenPolicy}
    allowed = policy().can_enter(GUEST, ROOM)
    settings.ROOMCHAT = {"POLICY": closed_on_sundays(type("Mine", (base,), {}))}

    assert (allowed, policy().can_enter(GUEST, ROOM)) == (ALLOWED, NOT_ALLOWED)


@pytest.mark.parametrize("error", [OperationalError("gone"), TryAgain("Later.")])
def test_a_policy_that_cannot_decide_now_is_asked_again(error):
    kind = type("Mine", (OpenPolicy,), {"can_enter": raising(error)})

    with pytest.raises(type(error)) as caught:
        kind().can_enter(GUEST, ROOM)

    assert caught.value is error


def test_a_method_of_another_name_may_return_anything():
    class Mine(OpenPolicy):
        def can_bake(self):
            return "a cake"

    assert Mine().can_bake() == "a cake"


def test_an_object_that_is_no_policy_is_refused_with_the_name_of_the_setting(settings):
    settings.ROOMCHAT = {"POLICY": coroutine_policy}

    with pytest.raises(HookError) as caught:
        policy()

    assert str(caught.value) == (
        f"ROOMCHAT['POLICY'] ({__name__}.coroutine_policy) returned coroutine coroutine_policy (it is asynchronous); "
        "it must be a subclass of django_roomchat.Policy."
    )


async def coroutine_policy():
    return OpenPolicy()


@pytest.mark.parametrize(
    ("method", "what"),
    [
        (coroutine, "returned coroutine coroutine (it is asynchronous)"),
        (raising(ValueError("broken")), "raised ValueError('broken')"),
    ],
)
def test_a_policy_that_fails_to_forget_is_logged(settings, caplog, method, what):
    settings.ROOMCHAT = {"POLICY": type("Mine", (OpenPolicy,), {"forget": method})}

    forget(GUEST)

    assert caplog.messages == [
        f"forget() of the policy {__name__}.Mine {what}; it has to discard what is cached, and to return None."
    ]


def test_every_question_is_a_method_of_the_base_class():
    assert set(QUESTIONS) == {name for name in dir(Policy) if name.startswith("can_")}
    assert policies.QUESTIONS[:3] == ("can_see", "can_enter", "can_post")
