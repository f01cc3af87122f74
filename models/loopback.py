"""Our own servers are on this machine: no proxy stands between."""

from __future__ import annotations

from collections.abc import MutableMapping

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SPOKEN = ("http", "https")
"""The kinds of proxy that our libraries can speak to. At any other one (socks5, socks) they refuse to make a client at all, even
one for an address that no proxy is asked for."""
NAMES = ("http_proxy", "https_proxy", "all_proxy")
IGNORED = "CANBAO_IGNORED_PROXIES"
"""Set to the names of the variables that were taken out, for whoever asks later (the doctor)."""


def reach_directly(environment: MutableMapping[str, str]) -> None:
    """Has every client that is made under this environment reach the loopback directly, and what is outside as before.

    Proxies that nothing here can speak to are taken out: nothing got through them before. The doctor says so.
    """
    ignored = sorted(name for name, value in environment.items() if name.lower() in NAMES
                     and "://" in value and value.partition("://")[0].lower() not in SPOKEN)
    for name in ignored:
        del environment[name]
    if ignored:
        environment[IGNORED] = ",".join(ignored)
    said = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = [host.strip().strip("[]") for host in said.split(",") if host.strip()]
    if "*" not in hosts:
        hosts += [host for host in LOOPBACK if host not in hosts]
    # Libraries read the one or the other.
    environment["no_proxy"] = environment["NO_PROXY"] = ",".join(hosts)
