"""The command line as a whole: help, the manual, configuration, colours, exit statuses. No server is needed."""

import os
import pathlib
import pty
import re
import subprocess

import pytest

from harness import proxy

COMMANDS = ("proxy", "plan", "migrate", "undo", "status", "lint", "config")
MANUAL = pathlib.Path(proxy.ROOT) / "docs" / "shardferry.1"

CONFIGURATION = """\
[proxy]
listen = 127.0.0.1:6432
coordinator = host=127.0.0.1 port=5432

[control]
conninfo = host=127.0.0.1 dbname=app user=shardferry password=hidden

[tenant]
table  = stores
column = store_id

[table "Sales"."OrderNotes"]
tenant_from = order_id -> orders(order_id)
"""

run = proxy.run_command


@pytest.fixture
def configuration(tmp_path):
    path = tmp_path / "shardferry.ini"
    path.write_text(CONFIGURATION)
    return str(path)


def manual_section(name):
    """What the manual says under "shardferry NAME", with its markup removed."""
    text = re.sub(r"\\%|\\f[BIR]|\\(?=-)|\"", "", MANUAL.read_text())
    return re.search(rf"^\.SS shardferry {name}\n(.*?)(?=^\.S[HS] )", text, re.M | re.S).group(1)


# Help and manual -------------------------------------------------------------------------------------------


def test_help_lists_the_commands():
    helps = [run(argument) for argument in ("help", "--help", "-h")]
    assert {result.returncode for result in helps} == {0}
    assert len({result.stdout for result in helps}) == 1
    assert not any(result.stderr for result in helps)
    listed = re.findall(r"^  (\w+)  ", helps[0].stdout, re.M)
    assert listed == [*COMMANDS, "help"]


def test_without_a_command():
    result = run()
    assert result.returncode == 2 and result.stdout == "" and result.stderr == run("help").stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(command):
    result = run(command, "--help")
    assert result.returncode == 0 and not result.stderr
    assert result.stdout == run(command, "-h").stdout == run("help", command).stdout
    options = set(re.findall(r"--[a-z][a-z-]+", result.stdout))
    assert {"--help", "--no-color"} < options
    assert options - set(re.findall(r"--[a-z][a-z-]+", manual_section(command))) == {"--help", "--no-color"}
    usage = re.search(r"^usage: shardferry (\w+) ", result.stdout, re.M)
    assert usage.group(1) == command
    assert all(len(line) <= 110 for line in result.stdout.splitlines())


def test_the_manual_has_a_synopsis_of_each_command():
    synopsis = re.search(r"^\.SH SYNOPSIS\n(.*?)^\.SH ", MANUAL.read_text(), re.M | re.S).group(1)
    assert set(re.findall(r"^\.B shardferry (\w+)", synopsis, re.M)) == {*COMMANDS, "help"}
    version = run("--version").stdout.split()
    assert f'"{version[0]} {version[1]}"' in MANUAL.read_text().splitlines()[0]


# Wrong usage -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["prxoy"], 'Did you mean "shardferry proxy"?'),
        (["frobnicate"], "shardferry --help"),
        (["help", "lnit"], 'Did you mean "shardferry lint"?'),
        (["lint", "--scheme", "x"], "did you mean --schema?"),
        (["lint", "-c"], "-c needs an argument"),
        (["lint", "-c", "{}", "--stage", "elsewhere"], 'there is no stage "elsewhere"'),
        (["lint", "-c", "{}", "--stage", "sharded"], "there is no stage"),
        (["migrate", "-c", "{}", "--to", "elsewhere"], 'there is no stage "elsewhere"'),
        (["migrate", "-c", "{}", "--lock-wait", "soon"], "--lock-wait"),
        (["migrate", "-c", "{}"], "--yes"),
        *[([command], "-c FILE is missing") for command in COMMANDS],
        *[([command, "-c", "{}", "extra"], '"extra"') for command in ("proxy", "migrate", "config")],
        *[([command, "-c", "/nothing/there.ini"], "/nothing/there.ini") for command in ("proxy", "lint", "config")],
        (["migrate", "-c", "/nothing/there.ini", "--yes"], "/nothing/there.ini"),
    ],
)
def test_wrong_usage(configuration, arguments, said):
    result = run(*[argument.replace("{}", configuration) for argument in arguments], input="")
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("shardferry: ") and said in result.stderr


# Configuration ---------------------------------------------------------------------------------------------


def settings_of(text):
    """The lines of a configuration without the comment that says where a setting comes from."""
    return [line.split(" ; ")[0].rstrip() for line in text.splitlines() if not line.startswith("; ")]


def test_what_config_prints_is_a_configuration(configuration):
    first = run("config", "-c", configuration)
    assert first.returncode == 0
    assert re.search(r"^column = store_id +; \S+shardferry.ini:10$", first.stdout, re.M)
    assert re.search(r"^log_level = info +; default$", first.stdout, re.M)
    assert '[table "Sales"."OrderNotes"]' in first.stdout
    again = run("config", "-c", "-", input=first.stdout)
    assert again.returncode == 0
    assert settings_of(again.stdout) == settings_of(first.stdout)


def test_passwords_are_not_printed(configuration):
    result = run("config", "-c", configuration)
    assert "hidden" not in result.stdout + result.stderr
    assert "user=shardferry" in result.stdout


@pytest.mark.parametrize(
    "line, said",
    [
        ("max_clients = many", "max_clients"),
        ("max_client = 5", "max_clients"),
        ("idle_timeout = -1s", "idle_timeout"),
    ],
)
def test_an_error_names_its_line(tmp_path, line, said):
    (tmp_path / "bad.ini").write_text(CONFIGURATION.replace("[control]", line + "\n[control]"))
    result = run("config", "-c", str(tmp_path / "bad.ini"))
    assert result.returncode == 2 and result.stdout == ""
    assert "bad.ini:5" in result.stderr and said in result.stderr


def test_the_reference_in_the_documentation_is_the_program_s():
    result = run("config", "--reference")
    assert result.returncode == 0
    assert result.stdout == (pathlib.Path(proxy.ROOT) / "docs" / "settings.md").read_text()


def test_the_sample_is_valid():
    assert run("config", "-c", os.path.join(proxy.ROOT, "conf", "shardferry.ini")).returncode == 0


# Output ----------------------------------------------------------------------------------------------------


def output_in_terminal(*arguments, **env):
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", **env}
    child = subprocess.Popen([proxy.binary(), *arguments], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                             env=environment)
    os.close(theirs)
    output = b""
    try:
        while part := os.read(ours, 4096):
            output += part
    except OSError:
        pass  # how Linux says that the other side is closed
    finally:
        os.close(ours)
        child.wait(timeout=60)
    return output


def test_colours_are_for_terminals():
    assert b"\x1b[" in output_in_terminal("frobnicate")
    assert b"\x1b[" not in output_in_terminal("frobnicate", NO_COLOR="1")
    assert b"\x1b[" not in output_in_terminal("--no-color", "frobnicate")
    assert b"\x1b[" not in output_in_terminal("lint", "--no-color", "--frobnicate")
    assert b"\x1b[" not in output_in_terminal("frobnicate", TERM="dumb")
    assert "\x1b[" not in run("frobnicate").stderr


def test_lost_output_is_an_error(tmp_path, configuration):
    (tmp_path / "schema.sql").write_text("CREATE TABLE stores (store_id bigint PRIMARY KEY); CREATE SCHEMA \"Sales\";"
                                         "CREATE TABLE orders (order_id bigint PRIMARY KEY, store_id bigint);"
                                         'CREATE TABLE "Sales"."OrderNotes" (order_id bigint);')
    (tmp_path / "many.sql").write_text("SELECT 1;\n" * 5000)
    lint = ["lint", "-c", configuration, "--schema", str(tmp_path / "schema.sql"), str(tmp_path / "many.sql")]
    assert run(*lint).returncode == 0
    for arguments in (["help"], ["config", "--reference"], lint):
        with open("/dev/full", "w") as full:
            result = subprocess.run([proxy.binary(), *arguments], stdout=full, stderr=subprocess.PIPE, timeout=60)
        assert result.returncode == 1
        # stdio does not remember why an earlier write has failed; what it says must not be another error's reason.
        assert re.search(rb"^shardferry: could not write .*standard output(: No space left on device)?\n$", result.stderr)
