"""The `claims` parameter: what it can ask for, and what is refused before it could be misread."""

import pytest

from authserver.protocol.claims_request import LONGEST, ClaimsRequest, parse_claims_request


def test_an_empty_request_asks_for_nothing() -> None:
    assert parse_claims_request("{}") == ClaimsRequest()


def test_auth_time_and_acr_can_be_essential() -> None:
    """OpenID Connect Core §5.5.1, §5.5.1.1."""
    asked = parse_claims_request(
        '{"id_token": {"auth_time": {"essential": true}, "acr": {"essential": true, "values": ["2", "1", "2"]}}}'
    )
    assert (asked.essential_auth_time, asked.acr_values, asked.essential_acr) == (True, ("2", "1"), True)
    assert asked.id_token == {"auth_time", "acr"}


@pytest.mark.parametrize("demand", ["null", "{}", '{"essential": false}', '{"unknown": [1, {"x": null}]}'])
def test_what_is_not_essential_is_voluntary(demand: str) -> None:
    asked = parse_claims_request(f'{{"id_token": {{"auth_time": {demand}, "acr": {demand}}}}}')
    assert (asked.essential_auth_time, asked.acr_values, asked.essential_acr) == (False, (), False)
    assert asked.id_token == {"auth_time", "acr"}


def test_one_value_is_a_list_of_one() -> None:
    assert parse_claims_request('{"id_token": {"acr": {"value": "1"}}}').acr_values == ("1",)


def test_an_essential_acr_without_values_demands_none_in_particular() -> None:
    assert not parse_claims_request('{"id_token": {"acr": {"essential": true}}}').essential_acr


def test_userinfo_claims_are_named_and_unknown_ones_ignored() -> None:
    """OpenID Connect Core §5.5: members that are not understood must be ignored, also with a language tag."""
    asked = parse_claims_request(
        '{"userinfo": {"email": null, "name": {"essential": true}, "nickname": null, "name#de": null, "acr": null},'
        ' "id_token": {"email": null}, "verified_claims": {"x": 1}, "other": 7}'
    )
    assert asked == ClaimsRequest(userinfo=frozenset({"email", "name"}), id_token=frozenset({"email"}))


@pytest.mark.parametrize("place", ["userinfo", "id_token"])
def test_one_user_can_be_asked_for(place: str) -> None:
    """OpenID Connect Core §3.1.2.2: a `sub` with a value is a demand."""
    assert parse_claims_request(f'{{"{place}": {{"sub": {{"value": "user-1"}}}}}}').sub == "user-1"


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "null", "[]", "1", '"x"', "true", "{", '{"id_token": {}} x', "{'id_token': {}}", "\ufeff{}"),
        *('{"id_token": null}', '{"id_token": []}', '{"userinfo": "email"}', '{"userinfo": {"email": true}}'),
        *('{"id_token": {}, "id_token": {}}', '{"id_token": {"acr": null, "acr": {"value": "1"}}}'),
        '{"id_token": {"auth_time": {"essential": true, "essential": false}}}',
        *('{"id_token": {"auth_time": {"essential": "true"}}}', '{"id_token": {"auth_time": {"essential": 1}}}'),
        *('{"id_token": {"acr": {"values": "1"}}}', '{"id_token": {"acr": {"values": [1]}}}'),
        *('{"id_token": {"acr": {"value": ["1"]}}}', '{"id_token": {"acr": {"value": "1", "values": ["2"]}}}'),
        *('{"x": NaN}', '{"x": Infinity}', '{"x": -Infinity}', '{"x": ' + "9" * 5000 + "}"),
        *('{"id_token": {"acr": {"value": "\\ud800"}}}', '{"id_token": {"acr": {"value": "\\u0000"}}}'),
        '{"id_token": {"sub": {"value": "a"}}, "userinfo": {"sub": {"value": "b"}}}',
        '{"id_token": {"sub": {"values": ["a", "b"]}}}',
        *("[" * 3000, '{"a":' * 700 + "1" + "}" * 700, '{"x": "' + "y" * LONGEST + '"}'),
    ],
)
def test_what_could_be_misread_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the reason, the caller says the same
        parse_claims_request(text)
