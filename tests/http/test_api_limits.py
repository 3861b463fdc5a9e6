"""How often one may try (contract §8 `LOGIN_LIMITS`; ASVS 6.1.1, 6.3.1)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from authserver.config import Settings
from authserver.realm import Realm
from authserver.web.limits.limits import ADDRESS_FACTOR
from tests.support.people.api import Api, content, problem
from tests.support.people.pages import Pages
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, ISSUER, add_user

DEFAULT = Settings.model_fields["login_limits"].default
WRONG = "wrong horse battery staple"


@pytest.fixture
def limited(realm: Realm, user_id: str) -> Api:
    """The API with the limits of a fresh installation."""
    return Api(realm, DEFAULT)


def _statuses(api: Api, tries: int, email: str = EMAIL) -> list[int]:
    """The statuses of that many wrong tries, each from an address of its own."""
    return [api.login(email, WRONG, ip=f"192.0.2.{number}").status_code for number in range(tries)]


def test_the_eleventh_wrong_try_waits_wherever_it_comes_from(limited: Api, clock: ManualClock) -> None:
    """ASVS 6.3.1."""
    assert DEFAULT == "10 per 10 minutes; 100 per day"
    assert _statuses(limited, 10) == [401] * 10
    clock.advance(timedelta(minutes=4))
    response = limited.login(ip="198.51.100.1")
    problem(response, 429, "too_many_requests")
    assert response.headers["Retry-After"] == "360"
    clock.advance(timedelta(minutes=6))
    content(limited.login(), 200)


def test_other_accounts_are_not_affected(limited: Api, realm: Realm) -> None:
    """ASVS 6.3.1: the right password of another account still works."""
    add_user(realm, "eve@example.test")
    _statuses(limited, 11)
    content(limited.login("eve@example.test"), 200)


def test_an_account_that_does_not_exist_is_limited_alike(limited: Api) -> None:
    """ASVS 6.3.8."""
    assert _statuses(limited, 11, "nobody@example.test") == [401] * 10 + [429]


def test_another_spelling_is_the_same_account(limited: Api) -> None:
    spellings = [EMAIL, EMAIL.upper(), f" {EMAIL}", EMAIL.title()]
    assert [limited.login(spellings[n % 4], WRONG).status_code for n in range(11)] == [401] * 10 + [429]


def test_a_success_clears_the_count(limited: Api) -> None:
    _statuses(limited, 9)
    content(limited.login(), 200)
    assert _statuses(limited, 10) == [401] * 10


def test_the_hundredth_try_of_a_day_is_the_last(limited: Api, clock: ManualClock) -> None:
    for _ in range(10):
        assert _statuses(limited, 10) == [401] * 10
        clock.advance(timedelta(minutes=10))
    response = limited.login()
    problem(response, 429, "too_many_requests")
    assert int(response.headers["Retry-After"]) == (24 * 60 - 100) * 60


def test_concurrent_tries_do_not_slip_through(realm: Realm, user_id: str) -> None:
    """A try counts before it is verified: of 40 at once 10 are verified, not 40 (ASVS 15.4.2)."""
    api = Api(realm, DEFAULT)
    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda _: api.app.test_client().post("/api/login", json=_wrong()).status_code, range(40))
        statuses = sorted(answers)
    assert statuses == [401] * 10 + [429] * 30


def test_the_workers_of_a_node_count_together(realm: Realm, user_id: str, tmp_path: Path) -> None:
    """A limit of ten is ten whatever the number of processes; a success in one clears the count in all."""
    workers = [Api(realm, DEFAULT, tmp_path) for _ in range(2)]
    assert [workers[number % 2].login(password=WRONG).status_code for number in range(9)] == [401] * 9
    content(workers[0].login(), 200)
    statuses = [workers[number % 2].login(password=WRONG).status_code for number in range(12)]
    assert statuses == [401] * 10 + [429] * 2


def _wrong() -> dict[str, str]:
    return {"email": EMAIL, "password": WRONG}


def test_a_device_that_signed_in_before_is_not_locked_out(limited: Api) -> None:
    """ASVS 6.1.1: whoever uses up an account's tries keeps strangers out, not the owner."""
    content(limited.login(device_id="phone-of-ada"), 200)
    assert _statuses(limited, 12)[-1] == 429
    problem(limited.login(device_id="never-seen"), 429, "too_many_requests")
    problem(limited.login("nobody@example.test", device_id="phone-of-ada"), 401, "invalid_credentials")
    content(limited.login(device_id="phone-of-ada"), 200)
    problem(limited.login(), 429, "too_many_requests")


def test_a_cookie_that_is_no_device_waits_like_every_stranger(limited: Api) -> None:
    """ASVS 2.2.1: a quoted cookie can hold a NUL, which PostgreSQL would not look for."""
    assert _statuses(limited, 11)[-1] == 429
    pages = Pages(limited)
    token, seed = pages.find_token(), pages.cookie("authserver-form")
    cookies = f'authserver-form={seed}; authserver-device="\\000"'
    response = limited.app.test_client(use_cookies=False).post(
        "/login", data={**_wrong(), "csrf_token": token}, headers={"Origin": ISSUER, "Cookie": cookies}
    )
    assert response.status_code == 429


def test_a_known_device_has_no_more_tries_than_others(limited: Api) -> None:
    content(limited.login(device_id="phone-of-ada"), 200)
    statuses = [limited.login(password=WRONG, device_id="phone-of-ada").status_code for _ in range(21)]
    assert statuses == [401] * 20 + [429]


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("192.0.2.1", "192.0.2.1", 429),
        ("192.0.2.1", "192.0.2.2", 401),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", 429),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", 401),
        ("::ffff:192.0.2.1", "192.0.2.1", 429),
        ("not an address", "not an address", 429),
    ],
)
def test_an_address_tries_a_hundred_times_as_often(
    realm: Realm, user_id: str, first: str, second: str, status: int
) -> None:
    """ASVS 6.1.1: over many accounts, too. What one IPv6 customer has counts as one address."""
    api = Api(realm, "1 per 10 minutes")
    assert ADDRESS_FACTOR == 100
    statuses = {api.login(f"user{number}@example.test", WRONG, ip=first).status_code for number in range(100)}
    assert statuses == {401}
    assert api.login("last@example.test", WRONG, ip=second).status_code == status


def test_registering_is_limited_by_address(realm: Realm) -> None:
    api = Api(realm, "1 per 10 minutes")
    bodies = [{"email": f"user{number}@example.test", "password": "short"} for number in range(101)]
    statuses = [api.post("/register", body).status_code for body in bodies]
    assert statuses == [422] * 100 + [429]
    assert api.login("nobody@example.test").status_code == 401
