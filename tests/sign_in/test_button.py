"""Allow linking now: whom the press lets through, told as stories, and then held against every order of events."""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from alexa_oauth.sign_in.button import ALLOWED_SECONDS, Button
from tests.rig import FakeClocks

ANNA, BERT = "ha:anna", "ha:bert"


@pytest.fixture
def clocks() -> FakeClocks:
    return FakeClocks()


@pytest.fixture
def button(clocks: FakeClocks) -> Button:
    return Button(lambda: clocks.running)


def test_at_rest_nobody_passes(button: Button) -> None:
    button.arrived("hers")
    assert button.allowed_by("hers") is None
    assert button.allowance is None


def test_the_one_request_that_begins_after_the_press_passes_in_the_name_of_who_pressed(button: Button) -> None:
    assert button.press(ANNA, waiting=0)
    button.arrived("hers")
    assert button.allowed_by("hers") == ANNA


def test_a_stranger_who_waited_first_does_not_win(button: Button) -> None:
    """Nor does the press arm anything, so a request that begins later must be picked, too."""
    button.arrived("a stranger's")
    assert not button.press(ANNA, waiting=1)
    button.arrived("hers")
    assert [button.allowed_by(waiting) for waiting in ("a stranger's", "hers")] == [None, None]
    button.pick("hers", ANNA)
    assert [button.allowed_by(waiting) for waiting in ("a stranger's", "hers")] == [None, ANNA]


@pytest.mark.parametrize("stranger_is_first", [True, False])
def test_when_two_begin_after_the_press_neither_passes_until_one_is_picked(button: Button, *, stranger_is_first: bool) -> None:
    button.press(ANNA, waiting=0)
    for request in ("a stranger's", "hers") if stranger_is_first else ("hers", "a stranger's"):
        button.arrived(request)
    assert [button.allowed_by(waiting) for waiting in ("a stranger's", "hers")] == [None, None]
    button.pick("hers", ANNA)
    assert [button.allowed_by(waiting) for waiting in ("a stranger's", "hers")] == [None, ANNA]


def test_a_stranger_who_denies_their_own_request_leaves_the_press_to_nobody_else(button: Button) -> None:
    """Begin, deny, begin again: a way to be alone that must not work."""
    button.press(ANNA, waiting=0)
    button.arrived("hers")
    button.arrived("a stranger's")
    button.answered("a stranger's")
    assert button.allowed_by("hers") is None
    button.answered("hers")
    button.arrived("a stranger's second")
    assert button.allowed_by("a stranger's second") is None


def test_one_press_serves_one_request(button: Button) -> None:
    button.press(ANNA, waiting=0)
    button.arrived("hers")
    button.answered("hers")
    button.arrived("next")
    assert [button.allowed_by(waiting) for waiting in ("hers", "next")] == [None, None]
    assert button.allowance is None


def test_what_begins_after_the_pick_changes_nothing(button: Button) -> None:
    button.pick("hers", ANNA)
    for number in range(100):
        button.arrived(f"flood {number}")
    assert button.allowed_by("hers") == ANNA
    assert not any(button.allowed_by(f"flood {number}") for number in range(100))


def test_who_picked_the_wrong_one_picks_again(button: Button) -> None:
    button.pick("a stranger's", ANNA)
    button.pick("hers", BERT)
    assert [button.allowed_by(waiting) for waiting in ("a stranger's", "hers")] == [None, BERT]
    button.release()
    assert button.allowed_by("hers") is None


@pytest.mark.parametrize(("seconds", "passes"), [(ALLOWED_SECONDS - 1, True), (ALLOWED_SECONDS, False)])
@pytest.mark.parametrize("begins", ["at once", "at the end"])
def test_ten_minutes_after_the_press_it_is_over_whenever_the_request_began(
    button: Button, clocks: FakeClocks, begins: str, seconds: int, *, passes: bool
) -> None:
    button.press(ANNA, waiting=0)
    if begins == "at once":
        button.arrived("hers")
    clocks.advance(seconds)
    button.arrived("hers") if begins == "at the end" else None
    assert (button.allowed_by("hers") == ANNA) is passes
    assert (button.allowance is not None) is passes


def test_a_wall_clock_that_is_set_back_prolongs_nothing(button: Button, clocks: FakeClocks) -> None:
    button.press(ANNA, waiting=0)
    clocks.step(-86_400)
    clocks.advance(ALLOWED_SECONDS)
    button.arrived("hers")
    assert button.allowed_by("hers") is None


def test_a_press_while_hers_is_alone_neither_prolongs_nor_ends_what_was_given(button: Button, clocks: FakeClocks) -> None:
    button.press(ANNA, waiting=0)
    button.arrived("hers")
    clocks.advance(100)
    assert not button.press(BERT, waiting=1)
    assert button.allowed_by("hers") == ANNA
    clocks.advance(ALLOWED_SECONDS - 100)
    assert button.allowed_by("hers") is None


@dataclass
class Told:
    """What a witness wrote down since somebody last pressed or picked."""

    by: str
    at: float
    picked: str | None
    begun: list[str] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)

    def may_pass(self, now: float) -> str | None:
        """The sentence of the page, read off the notes: the one picked, or the single one that began since the press."""
        if now - self.at >= ALLOWED_SECONDS:
            return None
        chosen = self.picked or (self.begun[0] if len(self.begun) == 1 else None)
        return chosen if chosen not in self.answered else None


class Household(RuleBasedStateMachine):
    """People at the panel, people and strangers at the door, time, and a server that is restarted."""

    requests: Bundle[str] = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.clocks = FakeClocks()
        self.waiting: dict[str, float] = {}
        self.begun = 0
        self._start()

    def _start(self) -> None:
        self.button = Button(lambda: self.clocks.running)
        self.told: Told | None = None

    @rule()
    def restart(self) -> None:
        """Requests stand in the database; what the button let through does not."""
        self._start()

    @rule(by=st.sampled_from([ANNA, BERT]))
    def press(self, by: str) -> None:
        armed = self.button.press(by, waiting=len(self.waiting))
        assert armed is not bool(self.waiting)
        if armed:
            self.told = Told(by, self.clocks.running, picked=None)

    @rule(request=requests, by=st.sampled_from([ANNA, BERT]))
    def pick(self, request: str, by: str) -> None:
        if request in self.waiting:
            self.button.pick(request, by)
            self.told = Told(by, self.clocks.running, picked=request)

    @rule()
    def release(self) -> None:
        self.button.release()
        self.told = None

    @rule(target=requests)
    def arrive(self) -> str:
        self.begun += 1
        request = f"request {self.begun}"
        self.button.arrived(request)
        self.waiting[request] = self.clocks.running
        if self.told is not None and self.clocks.running - self.told.at < ALLOWED_SECONDS:
            self.told.begun.append(request)
        return request

    @rule(request=requests)
    def deny_or_close(self, request: str) -> None:
        self._answer(request)

    @rule(request=requests)
    def click(self, request: str) -> None:
        """Whoever passes does so once, and takes the press along."""
        if request in self.waiting and self.button.allowed_by(request) is not None:
            self._answer(request)
            assert self.button.allowance is None

    @rule(seconds=st.sampled_from([1, 299, 599, 600]))
    def wait(self, seconds: int) -> None:
        self.clocks.advance(seconds)
        self.waiting = {name: at for name, at in self.waiting.items() if self.clocks.running - at < 600}

    @rule(seconds=st.sampled_from([-86_400, 86_400]))
    def step_the_wall_clock(self, seconds: int) -> None:
        self.clocks.step(seconds)

    @invariant()
    def only_the_right_one_passes(self) -> None:
        passing = {request: by for request in self.waiting if (by := self.button.allowed_by(request)) is not None}
        chosen = self.told.may_pass(self.clocks.running) if self.told is not None else None
        expected = {chosen: self.told.by} if self.told is not None and chosen in self.waiting else {}
        assert passing == expected

    def _answer(self, request: str) -> None:
        if self.waiting.pop(request, None) is not None:
            self.button.answered(request)
            if self.told is not None:
                self.told.answered.add(request)


def test_in_every_order_of_events_only_the_right_one_passes() -> None:
    budget = settings(max_examples=300, stateful_step_count=40, deadline=None, derandomize=True)
    run_state_machine_as_test(Household, settings=budget)
