"""What is written for Windows is refused, with what it would be on Linux."""

import pytest

from runner import windows_command, windows_machine


@pytest.mark.parametrize(
    ("line", "shell"),
    [
        ("cmd /c echo hello", "/bin/sh -c 'echo hello'"),
        ('cmd /c "echo hello"', "/bin/sh -c 'echo hello'"),
        ("cmd /c set", "/bin/sh -c 'set'"),
        ("CMD.EXE /C dir %AZ_BATCH_TASK_DIR%", "/bin/sh -c 'dir $AZ_BATCH_TASK_DIR'"),
        ("cmd /c echo a & echo b", "/bin/sh -c 'echo a ; echo b'"),
        ("cmd /c echo a && echo b", "/bin/sh -c 'echo a && echo b'"),
        ("cmd /v:on /s /c echo !x!", "/bin/sh -c 'echo !x!'"),
        ("cmd /k", "/bin/sh -c '...'"),
        ("cmd.exe", "/bin/sh -c '...'"),
        (r"C:\Windows\System32\cmd.exe /c ver", "/bin/sh -c 'ver'"),
        (r"%windir%\system32\cmd.exe /c ver", "/bin/sh -c 'ver'"),
        ("%ComSpec% /c ver", "/bin/sh -c 'ver'"),
        ("  cmd /c ver", "/bin/sh -c 'ver'"),
        ("cmd /c " + "x" * 500, "/bin/sh -c '...'"),
        ("cmd /c a\nb", "/bin/sh -c '...'"),
        ("powershell -Command Get-Date", "/bin/sh -c '...', or start pwsh"),
        ("powershell.exe -File x.ps1", "/bin/sh -c '...', or start pwsh"),
        (r"%AZ_BATCH_NODE_SHARED_DIR%\x.exe", "/bin/sh -c '$AZ_BATCH_NODE_SHARED_DIR/x.exe'"),
        (r"%AZ_BATCH_APP_PACKAGE_app#1.0%\bin\x a%B%\c", "/bin/sh -c '$AZ_BATCH_APP_PACKAGE_app_1_0/bin/x a$B\\c'"),
        (r'  "%A%\b\c.exe" -d "x y"', "/bin/sh -c '$A/b/c.exe -d \"x y\"'"),
        ("%A%\\" + "x" * 500, "/bin/sh -c '...'"),
    ],
)
def test_command_lines_of_windows(line: str, shell: str) -> None:
    fault = windows_command(line)
    assert fault is not None and "nodes run Linux" in fault
    assert f"as {shell}" in fault or f"instance {shell}" in fault


@pytest.mark.parametrize(
    "line",
    [
        "/bin/sh -c 'cmd /c x'",
        "cmd --config /c",  # a program of Linux
        "cmd",
        "./cmd /c /data",
        "/opt/tools/cmd /c",
        "cmdline /c x",
        "cmd /config x",
        "pwsh -Command Get-Date",
        "powershell-lint x",
        "echo powershell",
        "",
        "%",
        "%A%",
        "%A%/x",
        r"./%A%\x",
        r"echo %A%\x",
        "\\",
    ],
)
def test_other_command_lines(line: str) -> None:
    assert windows_command(line) is None


def image(publisher: str, offer: str, sku: str) -> dict[str, object]:
    return {"imageReference": {"publisher": publisher, "offer": offer, "sku": sku}}


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        (image("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter-smalldisk"), "imageReference"),
        (image("microsoftwindowsdesktop", "windows-11", "win11-22h2-pro"), "imageReference"),
        (image("microsoft-dsvm", "dsvm-win-2019", "server-2019"), "imageReference"),
        (image("microsoftsqlserver", "sql2019-ws2022", "standard"), "imageReference"),
        (image("canonical", "ubuntu", "22") | {"nodeAgentSKUId": "Batch.Node.Windows amd64"}, "nodeAgentSKUId"),
        ({"nodeAgentSKUId": "batch.node.windows amd64"}, "nodeAgentSKUId"),
    ],
)
def test_machines_of_windows(machine: dict[str, object], name: str) -> None:
    found = windows_machine(machine)
    assert found is not None and found[0] == name
    assert "canonical/0001-com-ubuntu-server-jammy/22_04-lts" in found[1] and "batch.node.ubuntu 22.04" in found[1]


@pytest.mark.parametrize(
    "machine",
    [
        {},
        {"imageReference": None, "nodeAgentSKUId": None},
        {"imageReference": "x", "nodeAgentSKUId": 7},
        image("canonical", "0001-com-ubuntu-server-jammy", "22_04-lts") | {"nodeAgentSKUId": "batch.node.ubuntu 22.04"},
        image("microsoft-dsvm", "ubuntu-hpc", "2204"),
        image("darwin", "twins", "winter"),
        {"imageReference": {"publisher": None, "offer": 7, "sku": ["windows"][:0]}},
    ],
)
def test_other_machines(machine: dict[str, object]) -> None:
    assert windows_machine(machine) is None
