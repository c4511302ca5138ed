import pytest

from alexa_oauth.rate_limit import NO_ADDRESS, Brake, FailureLimiter, network_of


class Seconds:
    """A running clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def test_n01_after_ten_failures_in_an_hour_a_caller_is_told_when_it_may_fail_again(seconds: Seconds) -> None:
    limiter = FailureLimiter(seconds)
    for _ in range(10):
        assert limiter.failed("192.0.2.7") is None
        seconds.now += 10
    assert limiter.failed("192.0.2.7") == 3_500
    assert limiter.failed("192.0.2.8") is None


def test_keeping_on_over_the_limit_does_not_prolong_the_wait(seconds: Seconds) -> None:
    limiter = FailureLimiter(seconds)
    waits = []
    for _ in range(11):
        waits.append(limiter.failed("192.0.2.7"))
        seconds.now += 0.5
    for _ in range(100):
        waits.append(limiter.failed("192.0.2.7"))
        seconds.now += 35
    assert waits[10:13] == [3_595, 3_595, 3_560]
    seconds.now = 1_000 + 3_599.9
    assert limiter.failed("192.0.2.7") == 1
    seconds.now = 1_000 + 3_600
    assert limiter.failed("192.0.2.7") is None
    assert limiter.failed("192.0.2.7") == 1


def test_n07_one_household_is_one_caller_however_its_address_is_written(seconds: Seconds) -> None:
    limiter = FailureLimiter(seconds, limit=1)
    assert limiter.failed("2001:db8:1:2::1") is None
    assert limiter.failed("2001:db8:1:2:ffff::2") is not None
    assert limiter.failed("2001:db8:1:3::1") is None
    assert limiter.failed("192.0.2.7") is None
    assert limiter.failed("::ffff:192.0.2.7") is not None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:c000:207", "192.0.2.7"),
        ("2001:DB8:0:0:1::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", NO_ADDRESS),
        ("192.0.2.7:80", NO_ADDRESS),
        ("x" * 100_000, NO_ADDRESS),
    ],
)
def test_addresses_are_counted_by_network(address: str, network: str) -> None:
    assert network_of(address) == network


def test_n08_the_limiter_keeps_a_bounded_number_of_networks_and_forgets_the_oldest(seconds: Seconds) -> None:
    limiter = FailureLimiter(seconds, limit=1, addresses=100)
    for number in range(1_000):
        limiter.failed(f"10.0.{number // 250}.{number % 250}")
    assert len(limiter._failures) == 100
    assert limiter.failed("10.0.3.249") is not None
    assert limiter.failed("10.0.0.0") is None


def test_the_brake_is_on_while_thirty_hits_lie_within_ten_minutes(seconds: Seconds) -> None:
    brake = Brake(seconds)
    for _ in range(30):
        assert not brake.is_on()
        brake.hit()
        seconds.now += 10
    assert brake.is_on()
    seconds.now = 1_000 + 600
    assert not brake.is_on()
    brake.hit()
    assert brake.is_on()


def test_the_brake_remembers_no_more_than_it_needs(seconds: Seconds) -> None:
    brake = Brake(seconds, limit=3)
    for _ in range(1_000):
        brake.hit()
    assert len(brake._hits) == 3
