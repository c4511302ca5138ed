from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.refusals import OTHER_ADDRESSES, TEXT_CHARACTERS, RefusalLedger


def refusal(address: str | None, reason: Reason = Reason.SECRET_WRONG, client_id: str = "amazon-alexa") -> Event:
    return Event(EventName.TOKEN_REFUSED, client_id=client_id, reason=reason, address=address, detail={"said": client_id})


def test_refusals_are_summed_by_event_reason_and_network_with_the_newest_details() -> None:
    ledger = RefusalLedger()
    for client_id in ("first", "second"):
        ledger.note(refusal("2001:db8::1", client_id=client_id))
    ledger.note(refusal("2001:db8::ffff", client_id="third"))
    ledger.note(refusal("2001:db8::1", Reason.CODE_UNKNOWN))
    ledger.note(refusal(None))
    summed, other_reason, nowhere = ledger.drain()
    assert (summed.count, summed.address, summed.client_id, summed.detail) == (3, "2001:db8::/64", "third", {"said": "third"})
    assert (other_reason.count, other_reason.reason) == (1, Reason.CODE_UNKNOWN)
    assert nowhere.address is None


def test_sums_that_could_not_be_written_are_taken_back_and_count_on() -> None:
    ledger = RefusalLedger(keys=1)
    ledger.note(refusal("2001:db8::1"))
    ledger.note(refusal("192.0.2.7"))
    sums = ledger.drain()
    assert ledger.drain() == ()
    ledger.restore(sums)
    ledger.note(refusal("2001:db8::2"))
    assert {event.address: event.count for event in ledger.drain()} == {"2001:db8::/64": 2, OTHER_ADDRESSES: 1}


def test_sums_are_told_while_they_are_written() -> None:
    """Whoever looks meanwhile would be told that Amazon never came."""
    ledger = RefusalLedger()
    ledger.note(refusal("192.0.2.7"))
    leaving = ledger.drain()
    ledger.note(refusal("192.0.2.9"))
    assert [event.address for event in ledger.sums()] == ["192.0.2.7", "192.0.2.9"]
    ledger.restore(leaving)
    assert [event.address for event in ledger.sums()] == ["192.0.2.9", "192.0.2.7"]
    ledger.drain()
    ledger.written()
    assert ledger.sums() == ()


def test_n08_strangers_from_everywhere_fill_no_memory_and_none_of_them_goes_uncounted() -> None:
    ledger = RefusalLedger(keys=100)
    for number in range(1_000):
        ledger.note(refusal(f"10.0.{number // 250}.{number % 250}"))
    ledger.note(refusal("10.0.0.0"))
    sums = ledger.drain()
    assert len(sums) == 101
    assert {event.address: event.count for event in sums}[OTHER_ADDRESSES] == 900
    assert sum(event.count for event in sums) == 1_001


def test_what_a_stranger_wrote_is_kept_no_longer_than_a_line() -> None:
    ledger = RefusalLedger()
    ledger.note(refusal("192.0.2.7", client_id="x" * 16_384))
    (summed,) = ledger.drain()
    assert summed.client_id == summed.detail["said"] == "x" * TEXT_CHARACTERS
