"""Which smart speakers are let in, and which wait for an operator's word."""

import hashlib
import hmac
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from configs.engines import ConfigError
from configs.xiaozhi import XiaozhiSettings
from server import devices as module
from server.devices import Devices, DevicesError
from server.tokens import Device

KITCHEN = Device("aa:bb:cc:00:11:22", "11111111-2222")
HALL = Device("aa:bb:cc:00:11:23", "33333333-4444")
SECRET = "the-operators-key"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def devices(folder: Path, secret: str | None = SECRET, clock: Clock | None = None, **settings: object) -> Devices:
    made = XiaozhiSettings.model_validate(settings)
    return Devices(made, secret, folder / "devices.json", clock or Clock())


def test_without_a_key_everybody_is_let_in_and_nobody_is_known_again(tmp_path: Path) -> None:
    open_ = devices(tmp_path, None)
    assert not open_.keyed and open_.admitted(KITCHEN) and open_.opens(KITCHEN, "") and open_.opens(KITCHEN, "any")
    assert open_.token(KITCHEN) == "" and open_.user(KITCHEN) is None


def test_a_device_is_let_in_by_its_code(tmp_path: Path) -> None:
    some = devices(tmp_path)
    assert not some.admitted(KITCHEN) and not some.opens(KITCHEN, some.token(KITCHEN))
    code = some.applicant(KITCHEN).code
    assert some.applicant(KITCHEN).code == code and len(code) == 6 and code.isdecimal()
    assert some.listed() == {"admitted": [], "waiting": [{"id": KITCHEN.id, "code": code}]}
    assert some.confirm("no such") is None
    assert some.confirm(code) == KITCHEN
    assert some.opens(KITCHEN, some.token(KITCHEN)) and some.listed() == {"admitted": [KITCHEN.id], "waiting": []}
    assert some.confirm(code) is None


def test_a_token_is_of_one_device_alone(tmp_path: Path) -> None:
    some = devices(tmp_path, activation="off")
    assert some.opens(KITCHEN, some.token(KITCHEN))
    assert not some.opens(HALL, some.token(KITCHEN))
    for wrong in ("", "x", "令牌", "\udcff", some.token(KITCHEN)[:-1]):
        assert not some.opens(KITCHEN, wrong)
    assert not some.opens(Device(KITCHEN.id, "another"), some.token(KITCHEN))
    assert some.token(KITCHEN) != devices(tmp_path / "another").token(KITCHEN)
    assert SECRET not in some.token(KITCHEN) and some.user(KITCHEN) not in (None, some.token(KITCHEN))


def test_a_name_in_the_settings_lets_in_the_first_that_has_it(tmp_path: Path) -> None:
    some = devices(tmp_path, devices=[KITCHEN.id.upper()])
    assert some.admitted(KITCHEN) and not some.admitted(HALL)
    assert not some.admitted(Device(KITCHEN.id, "somebody who read the label"))
    assert not devices(tmp_path, devices=[KITCHEN.id]).admitted(Device(KITCHEN.id, "after a restart"))


def test_who_was_let_in_is_kept_and_no_secret_with_it(tmp_path: Path) -> None:
    some = devices(tmp_path)
    some.confirm(some.applicant(KITCHEN).code)
    kept = (tmp_path / "devices.json").read_text()
    assert KITCHEN.client not in kept and SECRET not in kept and some.token(KITCHEN) not in kept
    again = devices(tmp_path)
    assert again.opens(KITCHEN, some.token(KITCHEN))
    assert again.forget(KITCHEN.id) and not again.forget(KITCHEN.id)
    assert not devices(tmp_path).admitted(KITCHEN)


def of_old(purpose: str, device: Device, key: str = SECRET) -> str:
    """As it was when the server's key was the root."""
    text = "\0".join(("xiaozhi", purpose, device.id, device.client))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def test_devices_stay_known_when_the_servers_key_is_another(tmp_path: Path) -> None:
    some = devices(tmp_path)
    some.confirm(some.applicant(KITCHEN).code)
    token, user = some.token(KITCHEN), some.user(KITCHEN)
    rotated = devices(tmp_path, "another key")
    assert rotated.opens(KITCHEN, token) and rotated.token(KITCHEN) == token and rotated.user(KITCHEN) == user
    assert not rotated.opens(KITCHEN, of_old("token", KITCHEN)), "of which no device has one"
    assert not rotated.opens(KITCHEN, of_old("token", KITCHEN, "another key"))


def test_the_root_is_made_at_first_need_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "devices.key"
    open_ = devices(tmp_path, None)
    assert open_.opens(KITCHEN, "") and not file.exists()
    some = devices(tmp_path, activation="off")
    assert not file.exists()
    token = some.token(KITCHEN)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert SECRET not in file.read_text() and token not in file.read_text() and KITCHEN.client not in file.read_text()
    file.unlink()
    assert not devices(tmp_path, activation="off").opens(KITCHEN, token), "who deletes it makes all tokens invalid"


def test_what_was_derived_from_the_servers_key_goes_on_until_that_is_another(tmp_path: Path) -> None:
    known = {KITCHEN.id: hashlib.sha256(KITCHEN.client.encode()).hexdigest()}
    (tmp_path / "devices.json").write_text(json.dumps(known))
    old, user = of_old("token", KITCHEN), of_old("user", KITCHEN)
    some = devices(tmp_path, devices=[HALL.id])
    assert some.opens(KITCHEN, old) and some.opens(KITCHEN, some.token(KITCHEN)) and some.token(KITCHEN) != old
    assert some.user(KITCHEN) == user
    assert some.admitted(HALL) and not some.opens(HALL, of_old("token", HALL)), "it came later, and has a new one"
    assert some.user(HALL) != of_old("user", HALL)
    token = some.token(KITCHEN)
    for rotated in (devices(tmp_path, "another key"), devices(tmp_path, "a third")):
        assert not rotated.opens(KITCHEN, old) and rotated.opens(KITCHEN, token) and rotated.user(KITCHEN) == user


def test_where_everybody_is_let_in_tokens_of_old_go_on_too(tmp_path: Path) -> None:
    some = devices(tmp_path, activation="off")
    assert some.opens(KITCHEN, of_old("token", KITCHEN)) and not some.opens(KITCHEN, of_old("token", HALL))


def test_devices_with_one_client_id_are_users_of_their_own(tmp_path: Path) -> None:
    twin = Device(HALL.id, KITCHEN.client)
    (tmp_path / "devices.json").write_text(json.dumps({KITCHEN.id: KITCHEN.mark, twin.id: twin.mark}))
    for key in (SECRET, SECRET, "another key"):
        some = devices(tmp_path, key)
        assert some.user(KITCHEN) == of_old("user", KITCHEN) and some.user(twin) == of_old("user", twin)
    late = Device("aa:bb:cc:00:11:24", KITCHEN.client)
    assert some.user(late) != of_old("user", late) and not some.opens(late, of_old("token", late, "another key"))


def test_where_everybody_is_let_in_who_has_an_old_token_stays_the_same_user(tmp_path: Path) -> None:
    some = devices(tmp_path, activation="off")
    assert some.user(HALL) != of_old("user", HALL), "it has shown none"
    assert some.opens(KITCHEN, of_old("token", KITCHEN)) and some.user(KITCHEN) == of_old("user", KITCHEN)
    token = some.token(KITCHEN)
    rotated = devices(tmp_path, "another key", activation="off")
    assert rotated.opens(KITCHEN, token) and rotated.user(KITCHEN) == of_old("user", KITCHEN)
    assert not rotated.opens(KITCHEN, of_old("token", KITCHEN))


@pytest.mark.parametrize("links", [True, False])
def test_processes_that_need_the_root_at_once_have_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def unable(*_: object) -> None:
        raise PermissionError("no links here")

    if not links:
        monkeypatch.setattr(os, "link", unable)
    processes = [devices(tmp_path, activation="off") for _ in range(4)]
    assert len({one.token(KITCHEN) for one in processes}) == 1
    assert processes[0].token(KITCHEN) == devices(tmp_path, activation="off").token(KITCHEN)
    assert [file.name for file in tmp_path.iterdir()] == ["devices.key"]
    assert stat.S_IMODE((tmp_path / "devices.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "not json", "[1]", '{"root": "short", "users": {}}', '{"root": 7}'])
def test_a_root_that_cannot_be_read_says_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / "devices.key").write_text(content)
    with pytest.raises(ConfigError, match=r"devices\.key .*delete it"):
        devices(tmp_path)


def test_a_root_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    some = devices(tmp_path / "data", activation="off")
    (tmp_path / "data").write_text("in the way of a folder")
    for asked in (lambda: some.token(KITCHEN), lambda: some.opens(KITCHEN, ""), lambda: some.user(KITCHEN)):
        with pytest.raises(DevicesError) as unkept:
            asked()
        assert unkept.value.code == "unkept" and "无法保存" in str(unkept.value)


def test_a_code_ends_after_a_quarter_of_an_hour(tmp_path: Path) -> None:
    clock = Clock()
    some = devices(tmp_path, clock=clock)
    code = some.applicant(KITCHEN).code
    clock.now += 14 * 60
    assert some.applicant(KITCHEN).code == code
    clock.now += 60
    assert some.listed()["waiting"] == [] and some.confirm(code) is None
    clock.now -= 7200
    assert some.confirm(some.applicant(KITCHEN).code) == KITCHEN, "a clock that was put back locks nobody out"


def flood(some: Devices, address: str, count: int = 200) -> list[str]:
    """The codes that are given to an address that asks for many devices."""
    codes = []
    for number in range(count):
        try:
            codes.append(some.applicant(Device(f"{address}-{number}", "c"), address).code)
        except DevicesError as error:
            assert error.code == "crowded" and "try again later" in str(error) and "请稍后再试" in str(error)
    return codes


def test_a_flood_from_one_address_pushes_out_no_device_that_waits(tmp_path: Path) -> None:
    clock = Clock()
    some = devices(tmp_path, clock=clock)
    code = some.applicant(KITCHEN, "192.0.2.1").code
    assert len(flood(some, "203.0.113.9")) == 20
    assert some.applicant(HALL, "192.0.2.1").code and some.applicant(KITCHEN, "192.0.2.1").code == code
    assert len(some.listed()["waiting"]) == 22
    assert some.confirm(code) == KITCHEN
    assert flood(some, "203.0.113.9") == flood(some, "203.0.113.9", 20), "nothing but what it has already"
    clock.now += 15 * 60
    assert len(flood(some, "203.0.113.9")) == 20 and len(some.listed()["waiting"]) == 20, "the old ones have expired"


def test_a_flood_from_many_addresses_gives_way_to_one_that_asks_for_few(tmp_path: Path) -> None:
    some = devices(tmp_path)
    early = [some.applicant(Device(f"early{at}", "c"), f"192.0.2.{at}").code for at in range(10)]
    codes = [code for at in range(9) for code in flood(some, f"198.51.100.{at}")]
    waiting = {one["code"] for one in some.listed()["waiting"]}
    assert len(waiting) == 100 and waiting >= set(early) and waiting < {*early, *codes}
    late = some.applicant(KITCHEN, "192.0.2.200").code
    waiting = {one["code"] for one in some.listed()["waiting"]}
    assert len(waiting) == 100 and waiting > {*early, late} and some.confirm(late) == KITCHEN


def test_whole_networks_of_version_6_are_one_address(tmp_path: Path) -> None:
    some = devices(tmp_path)
    codes = [flood(some, f"2001:db8::{at:x}", 1) for at in range(1, 60)]
    assert sum(map(len, codes)) == 20
    assert some.applicant(KITCHEN, "2001:db8:0:1::1").code


def test_addresses_of_version_4_that_a_server_on_both_versions_hears_are_each_one(tmp_path: Path) -> None:
    some = devices(tmp_path)
    assert len(flood(some, "::ffff:203.0.113.9")) == 20 and flood(some, "203.0.113.9", 1) == []
    assert some.applicant(KITCHEN, "::ffff:192.0.2.1").code and some.applicant(HALL, "::ffff:c000:202").code
    assert len(some.listed()["waiting"]) == 22


def test_where_everybody_asks_for_one_who_waits_keeps_its_place(tmp_path: Path) -> None:
    some = devices(tmp_path)
    codes = [some.applicant(Device(f"d{at}", "c"), f"10.0.0.{at}").code for at in range(100)]
    assert len(set(codes)) == 100 and flood(some, "10.0.1.1") == []
    assert [one["code"] for one in some.listed()["waiting"]] == codes


def test_only_so_many_are_let_in_and_the_operator_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ADMITTED", 1)
    some = devices(tmp_path, devices=[HALL.id])
    some.confirm(some.applicant(KITCHEN).code)
    for let in (lambda: some.confirm(some.applicant(Device("x", "y")).code), lambda: some.admitted(HALL)):
        with pytest.raises(DevicesError) as full:
            let()
        assert full.value.code == "full"
    assert some.confirm(some.applicant(Device(KITCHEN.id, "reset")).code), "one that is known takes no more room"
    assert some.forget(KITCHEN.id) and some.admitted(HALL)


def test_what_cannot_be_kept_is_not_done(tmp_path: Path) -> None:
    some = devices(tmp_path / "data")
    (tmp_path / "data").write_text("in the way of a folder")
    code = some.applicant(KITCHEN).code
    with pytest.raises(DevicesError) as unkept:
        some.confirm(code)
    assert unkept.value.code == "unkept" and not some.admitted(KITCHEN)
    assert [one["code"] for one in some.listed()["waiting"]] == [code]


@pytest.mark.parametrize("content", ["", "not json", "[1]", '"text"'])
def test_a_list_that_cannot_be_read_says_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / "devices.json").write_text(content)
    with pytest.raises(ConfigError, match=r"devices\.json .*move it away"):
        devices(tmp_path)


def test_many_at_once_are_all_kept(tmp_path: Path) -> None:
    some = devices(tmp_path)
    many = [Device(f"d{number}", f"c{number}") for number in range(60)]
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda one: some.applicant(one, one.id).code, many))
        assert set(pool.map(some.confirm, codes)) == set(many)
        tokens = list(pool.map(some.token, many))
    assert all(map(devices(tmp_path).opens, many, tokens))
    assert all(map(devices(tmp_path).admitted, many))
