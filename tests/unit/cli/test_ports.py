import socket

import pytest

from services.cli.errors import CliError
from services.cli.ports import HOST, choose_ports, is_free, parse_ports

PARTS = ("temporal", "records", "notify")


def test_remembered_ports_are_kept() -> None:
    remembered = {"temporal": 20_001, "records": 20_002, "notify": 20_003}
    assert choose_ports(PARTS, {}, remembered, free=lambda _: True) == remembered


def test_a_remembered_port_that_is_taken_is_replaced() -> None:
    ports = choose_ports(PARTS, {}, {"records": 20_002}, free=lambda port: port != 20_002)
    assert ports["records"] != 20_002
    assert len(set(ports.values())) == len(PARTS)


def test_an_explicit_port_wins_over_a_remembered_one_of_another_part() -> None:
    ports = choose_ports(PARTS, {"records": 20_001}, {"temporal": 20_001}, free=lambda _: True)
    assert ports["records"] == 20_001
    assert ports["temporal"] != 20_001


def test_an_explicit_port_that_is_taken_is_refused_by_name() -> None:
    with pytest.raises(CliError, match=r"Port 20002, asked for records, is taken.*--port records=NUMBER"):
        choose_ports(PARTS, {"records": 20_002}, {}, free=lambda _: False)


def test_one_port_for_two_parts_is_refused() -> None:
    with pytest.raises(CliError, match="asked for twice"):
        choose_ports(PARTS, {"records": 20_002, "notify": 20_002}, {}, free=lambda _: True)


def test_no_free_port_is_a_sentence() -> None:
    with pytest.raises(CliError, match="No free port"):
        choose_ports(PARTS, {}, {}, free=lambda _: False)


def test_a_listening_port_is_not_free() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        assert not is_free(taken.getsockname()[1])


def test_options_win_over_the_environment() -> None:
    environment = {"HANDRAIL_RECORDS_PORT": "1", "HANDRAIL_NOTIFY_PORT": "2"}
    assert parse_ports(["records=3"], environment, PARTS) == {"records": 3, "notify": 2}


@pytest.mark.parametrize("pair", ["records=0", "records=65536", "records=x", "records", "worker=5", "=5"])
def test_what_is_no_port_is_refused(pair: str) -> None:
    with pytest.raises(CliError):
        parse_ports([pair], {}, PARTS)
