"""The rules for new passwords."""

import hashlib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.credentials.password_policy import PasswordPolicy
from authserver.protocol.secret import Secret

POLICY = PasswordPolicy(service_words=("Acme Portal", "authserver"))


def _codes(password: str, *, email: str = "alice.liddell@wonder.example", name: str = "Alice Liddell") -> list[str]:
    return [breach.code for breach in POLICY.breaches(Secret(password), email=email, name=name)]


def _common_passwords() -> list[str]:
    return resources.files("authserver.credentials").joinpath("common_passwords.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "allinlowercase",
        "ONLYCAPITALSHERE",
        "5093862714",
        " - = . -  ",
        "Пароль на русском",
        "🔑🗝🔐🔏🔓🔒🛡⚔🪪🧿",
        "x7" * 32,
        "x7" * 512,
    ],
)
def test_there_are_no_composition_rules(password: str) -> None:
    """ASVS 6.2.5: all-lower passes. ASVS 6.2.9: so do 64 characters, and 128."""
    assert _codes(password) == []


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("passwordpassword", "common"),
        ("PasswordPassword", "common"),
        ("passwordpasswordpass", "common"),
        ("dragondragon", "common"),
        ("a" * 16, "repetitive"),
        (" " * 10, "repetitive"),
        ("a" * 200, "repetitive"),
        ("ab" * 8, "repetitive"),
        ("a" * 15 + "b", "repetitive"),
        ("Aa" * 40, "repetitive"),
    ],
)
def test_what_is_weak_once_is_weak_when_it_is_repeated(password: str, code: str) -> None:
    assert _codes(password) == [code]


def test_a_good_password_may_be_repeated() -> None:
    assert _codes("correct horse correct horse ") == []
    assert _codes("a" * 16) == ["repetitive"]
    assert _codes("zqzqzqz") == ["too_short"]


def test_a_password_below_the_minimum_is_too_short() -> None:
    """ASVS 6.2.1."""
    assert _codes("xkcdqwmzu") == ["too_short"]
    assert _codes("xkcdqwmzuj") == []


def test_length_is_counted_in_characters_not_in_bytes() -> None:
    assert _codes("ä" * 9) == ["too_short"]
    assert _codes("🔑🗝🔐🔏🔓🔒🛡⚔🪪") == ["too_short"]


def test_a_password_above_the_maximum_is_too_long() -> None:
    assert _codes("x7" * 512 + "x") == ["too_long"]


@pytest.mark.parametrize("minimum", [0, 7, 65])
def test_a_minimum_that_protects_nobody_or_forbids_long_passwords_is_refused(minimum: int) -> None:
    """ASVS 6.2.1, 6.2.9: never below 8; 64 characters are always allowed."""
    with pytest.raises(ValueError, match="must have 8 to 64 characters"):
        PasswordPolicy(minimum_length=minimum)


def test_the_list_of_common_passwords_is_whole() -> None:
    """ASVS 6.2.4: 30,000 entries, the very file; all in the folded form in which they are compared."""
    data = resources.files("authserver.credentials").joinpath("common_passwords.txt").read_bytes()
    assert hashlib.sha256(data).hexdigest() == "a9746c337c6c07a0e439d492a5e15238e799eff05ec52d60f6a4b3dfdc893265"
    entries = data.decode().splitlines()
    assert len(set(entries)) == 30_000
    assert all(entry == entry.casefold() for entry in entries)


@pytest.mark.parametrize("password", ["1111111111", "0123456789", "basketball", "california", "christopher"])
def test_common_repeats_runs_names_and_words_are_refused(password: str) -> None:
    """The list of zxcvbn leaves them to its other matchers, so it is not enough (ASVS 6.2.4)."""
    breaches = PasswordPolicy().breaches(Secret(password), email="", name="")
    assert [breach.code for breach in breaches] == ["common"]


def test_every_common_password_is_refused() -> None:
    """ASVS 6.2.4; where it would be long enough, in whatever case it is typed."""
    policy = PasswordPolicy()
    for entry in _common_passwords():
        typed = entry.upper() if len(entry) >= policy.minimum_length else entry
        assert "common" in [breach.code for breach in policy.breaches(Secret(typed), email="", name="")]


def test_a_part_of_the_list_is_not_an_entry() -> None:
    """The list is searched as one text; what is looked for is a whole entry, and one only."""
    longest = max(_common_passwords(), key=len)
    for password in ("\n".join(_common_passwords()[:2]), longest[1:], longest[:-1]):
        breaches = PasswordPolicy().breaches(Secret(password), email="", name="")
        assert "common" not in [breach.code for breach in breaches]


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("alice.liddell@wonder.example", "contains_email"),
        ("ALICE.LIDDELL", "contains_email"),
        ("aliceliddell2024", "contains_email"),
        ("wonder2024!", "contains_email"),
        ("wonderwonder", "contains_email"),
        ("Alice Liddell", "contains_name"),
        ("LiddellAlice!", "contains_name"),
        ("12345Alice", "contains_name"),
        ("alice123456", "contains_name"),
        ("Liddellpassword", "contains_name"),
        ("AcmePortal1", "contains_service_name"),
        ("acme-portal", "contains_service_name"),
        ("AUTHSERVER24", "contains_service_name"),
        ("authserver123456", "contains_service_name"),
        ("authserver-alice", "contains_service_name"),
        ("authserver-alice", "contains_name"),
    ],
)
def test_context_words_do_not_make_a_password(password: str, code: str) -> None:
    """ASVS 6.1.2, 6.2.11: name, address and service, alone, together, or with what everybody adds."""
    assert code in _codes(password)


@pytest.mark.parametrize(
    "password", ["alice fell down a hole", "my acme portal is purple", "through the wonder glass", "liddell.yonder"]
)
def test_context_words_may_be_in_a_password_that_lives_without_them(password: str) -> None:
    assert _codes(password) == []


def test_words_under_four_characters_are_ignored() -> None:
    """Each for itself; the whole name is one word, too."""
    assert _codes("eve&eve&eve", email="bob@eve.example", name="Eve Bob") == []
    assert _codes("evebob2024", email="bob@eve.example", name="Eve Bob") == ["contains_name"]


def test_letters_that_were_typed_differently_are_the_same_word() -> None:
    assert _codes("AME\u0301LIE2024", email="a@b.example", name="Am\u00e9lie") == ["contains_name"]


def test_breaches_say_all_that_is_wrong_and_never_the_password() -> None:
    breaches = POLICY.breaches(Secret("dragon"), email="dragon@x.example", name="Dragon")
    assert [breach.code for breach in breaches] == ["too_short", "common", "contains_email", "contains_name"]
    assert "dragon" not in repr(breaches).lower()


@given(st.text(min_size=1, max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_any_texts_get_an_answer_of_known_codes(password: str, email: str, name: str) -> None:
    """Names are free text: brackets, backslashes and stars in them are no patterns."""
    known = {"too_short", "common", "contains_email", "contains_name", "contains_service_name", "repetitive"}
    assert set(_codes(password, email=email, name=name)) <= known
