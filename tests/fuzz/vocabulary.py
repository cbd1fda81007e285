"""Words that requests are made of: few names, so that requests meet the same objects; and hostile ones.

What may run on a node, and what may be deleted there, is harmless on any machine: the nodes are processes on this one.
"""

from __future__ import annotations

from collections.abc import Mapping

#: A secret that is set and never to be seen again.
HUSH = "hush-7f3a9c1e5b"
#: What stands in a file that is not to be read.
PASSWORDS = b"root:x:0:0"

IDS: Mapping[str, tuple[str, ...]] = {
    "poolId": ("base", "base", "p1", "P1", "p-2", "p_3"),
    "jobId": ("base", "base", "j1", "J1", "j-2", "s1:job-1"),
    "jobScheduleId": ("s1", "S1", "s-2"),
    "taskId": ("done", "t1", "T1", "t-2", "3"),
    "applicationId": ("app", "a1", "A1"),
    "version": ("1.0", "2", "v_3"),
    "userName": ("ann", "ann", "bob", "_x"),
    "extensionName": ("x",),
    "certificate": ("thumbprintAlgorithm=sha1,thumbprint=00",),
}
HOSTILE = (
    *("", " ", ".", "..", "../..", "a/b", "a\\b", "a\0b", "a\nb", "a\r\nX: y", "\t", "é", "ü" * 64),
    *("漢字", "🐚", "\u202e"),
    *("x" * 64, "x" * 65, "x" * 5000, "%", "%00", "%2e%2e", "'", '"', "''", "\\", ";", "#", "?", "*", "$(id)", "`id`"),
    *("${param:x}", "{}", "<b>", "null", "true", "0", "-1", "1e999", "NaN", "None", "con", "CON.", "-rf", "--help"),
    *("~", "/", "//", "/etc/passwd", "../../../../etc/passwd", "..\\..\\etc", "file:///etc/passwd", "base ", " base"),
    *("BASE", "s1:job-99", ":", "a:b", "\ufeff", "\u0301", "\x7f", "٣", "x" * 63 + "é"),
)
COMMANDS = (
    *("true", "echo hello", "exit 3", "/bin/sh -c 'echo oh >&2; exit 2'", "/bin/sh -c 'echo $AZ_BATCH_TASK_ID'"),
    *("cmd /c echo hello", "", " ", "no-such-command", "true # \u202e é 漢 '\"", "true " + "x" * 9000),
)
DURATIONS = (
    *("PT5M", "PT15M", "P1D", "PT0S", "PT1S", "PT0.5S", "PT05M00S", "P2W", "PT30S", "P7D"),
    *("P10675199DT2H48M5.4775807S", "P10675198D", "P9999999D", "P36525D", "P36526D"),
    *("P1Y", "P1M", "-PT5M", "5", "PT", "P", "pt5m", "PT5m", "PT99999999999999999999S", "PT1,5S", "P1DT", "", "PT1H1H"),
)
TIMES = (
    *("2099-01-01T00:00:00Z", "2030-06-01T12:00:00.250Z", "2099-01-01T00:00:00+02:00", "2001-01-01T00:00:00Z"),
    *("2099-01-01", "2099-13-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "soon", ""),
    *("2099-01-01T00:00:00", "1970-01-01T00:00:00Z", "2016-12-31T23:59:60Z"),
    *("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.000Z", "0001-01-01T00:00:00+14:00"),
    "0001-01-01T00:00:00.000Z",
)
#: The ends of the years that can be written, and what lies beyond.
ENDS = TIMES[-4:]
FORMULAS = (
    *("$TargetDedicatedNodes=0;", "$TargetDedicatedNodes=0;$TargetLowPriorityNodes=0;", "x=1;"),
    *("$TargetDedicatedNodes=min(0,avg($PendingTasks.GetSample(1)));", "$TargetDedicatedNodes=", "((((", "x=1/0;", ""),
    *("$TargetDedicatedNodes=" + "(" * 300 + "0" + ")" * 300, "x" * 9000, "/* é", "$NodeDeallocationOption=terminate;"),
)
NUMBERS = (0, 1, 2, 3, 5, 10, 100, 1000, 1001, -1, -2, 2**31 - 1, 2**31, -(2**31), 2**53, 2**63, 10**30, 1.0, 1.5, -0.0)
URLS = (
    *("http://127.0.0.1:1/x", "https://127.0.0.1:1/x?sig=1", "storage://c/x", "ftp://x/y", "file:///etc/passwd", "x"),
    *("", "http://", "http://[::1", "http://é/", "//x", "javascript:1"),
)
KEYS = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvmVAV8GIVrwEfP2xJ9AGpSjzJH8C8iPPYXTnqW7VbJ ann",
    *("ssh-ed25519 AAAA", "ssh-rsa", "x", "", "ssh-ed25519 AAAA\nssh-ed25519 AAAA"),
)
#: By the names of properties: what their texts may be.
TEXTS: Mapping[str, tuple[str, ...]] = {
    "commandLine": COMMANDS,
    "coordinationCommandLine": COMMANDS,
    "autoScaleFormula": FORMULAS,
    "vmSize": ("standard_d2s_v3", "local.small", "small", "STANDARD_A1", "no-such-size"),
    "password": (HUSH,),
    "httpUrl": URLS,
    "storageContainerUrl": URLS,
    "containerUrl": URLS,
    "blobSource": URLS,
    "fileMode": ("0755", "644", "9999", "rwx", ""),
    "filePath": ("in.txt", "a/b.txt", "../x", "/tmp/x", "..\\x", ""),
    "filePattern": ("*.txt", "../std*.txt", "**/*", "[", "/etc/*", ""),
    "sshPublicKey": KEYS,
    "publisher": ("canonical", "microsoftwindowsserver", "debian", "x"),
    "offer": ("0001-com-ubuntu-server-jammy", "windowsserver", "debian-12"),
    "sku": ("22_04-lts", "12", "2019-datacenter"),
    "version": ("latest", "1.0", "2", "9"),
    "nodeAgentSKUId": ("batch.node.ubuntu 22.04", "batch.node.debian 12", "batch.node.windows amd64", "x"),
    "applicationId": IDS["applicationId"],
    "poolId": IDS["poolId"],
    "autoStorageContainerName": ("c", "C", "a b", ""),
    "defaultVersion": IDS["version"],
    "nodeList": ("base", "x"),
}
FILES = (
    *("stdout.txt", "stdout.txt", "workitems/base/job-1/done/stdout.txt", "stderr.txt"),
    *("wd", "wd/", "/stdout.txt", "no-such-file", "startup", "workitems", "shared"),
    *("../stdout.txt", "..", "../..", "../../../../../../etc/passwd", "/etc/passwd", "..\\..\\etc\\passwd"),
    *("wd/../../../../../../../etc/passwd", "%2e%2e/x", "stdout.txt/x", "a\0b", "é", "x" * 300, "."),
    "/proc/self/environ",
)
#: Of these nothing is lost if they go.
DELETABLE = (
    *("workitems/base/job-1/done/stderr.txt", "stderr.txt", "startup", "no-such-file"),
    *("no-such-file", "wd", "wd/x", "stderr.txt", "../stderr.txt", "..", ".", "é", "a\0b", "x" * 300),
)
RANGES = (
    *("bytes=0-3", "bytes=2-", "bytes=-2", "bytes=0-", "bytes=99999999-", "bytes=3-1", "bytes=-0", "bytes=0-0,2-3"),
    *("bytes=x", "", "items=0-1", "bytes=--1", "bytes=0-999999999999999999", "bytes=9999999999999999999999-", "0-3"),
)
ETAGS = ("*", '"0x1"', "0x1", 'W/"0x1"', "", '"', '"a","b", *', "x" * 3000, "é")
DATES = (
    *("Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2038 00:00:00 GMT", "Sat, 31 Feb 2026 00:00:00 GMT"),
    *("now", "", "0"),
    *("Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 0001 00:00:00 +2359", "Thu, 01 Jan 1970 00:00:00"),
)
