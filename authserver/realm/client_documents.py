"""Documents of clients whose id is a URL, fetched on demand and remembered within bounds.

Anybody can name any URL. So only documents that are in order are remembered, at most `MOST_REMEMBERED` of them, the
least recently used goes first; and at most `AT_ONCE` request threads wait for a document server, at most `AT_ONE_HOST`
for the same one. A request beyond that is refused at once and changes nothing.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, final

from authserver.clock import Clock, Reading
from authserver.outbound import Outbound, OutboundError
from authserver.records.client_document import (
    LONGEST_DOCUMENT,
    NO_TERMS,
    ClientDocument,
    Terms,
    choose_age,
    find_url_fault,
    read_document,
    read_host,
)

MOST_REMEMBERED: Final = 500
"""Documents in the memory of one process; 5 KiB each at most."""

AT_ONCE: Final = 8
"""Threads that wait for documents, in one process. `Outbound` has places for others beside them."""

AT_ONE_HOST: Final = 2


@dataclass(frozen=True, slots=True)
class DocumentPolicy:
    """What an operator decides about clients by URL.

    Attributes:
        is_on: whether there are such clients at all.
        hosts: the only hosts whose documents are taken; empty: any that may be called.
        terms: what these clients may have.
    """

    is_on: bool = False
    hosts: frozenset[str] = frozenset()
    terms: Terms = NO_TERMS


@final
class ClientDocuments:
    """Finds the documents of clients. Safe to share between threads."""

    __slots__ = ("_clock", "_lock", "_outbound", "_remembered", "_waiting", "policy")

    def __init__(self, policy: DocumentPolicy, outbound: Outbound, clock: Clock) -> None:
        """Remember nothing yet."""
        self.policy = policy
        self._outbound = outbound
        self._clock = clock
        self._lock = threading.Lock()
        self._remembered: OrderedDict[str, tuple[Reading, float, ClientDocument]] = OrderedDict()
        self._waiting: Counter[str] = Counter()

    def needs_fetching(self, url: str) -> bool:
        """Whether `find` would call the URL: it may be called, and its document is not in memory."""
        return self._find_fault(url) is None and self._recall(url) is None

    def find(self, url: str) -> ClientDocument | str:
        """The document at `url`; or why there is none, for the log."""
        fault = self._find_fault(url)
        if fault is not None:
            return fault
        return self._recall(url) or self._fetch(url)

    def _find_fault(self, url: str) -> str | None:
        if not self.policy.is_on:
            return "clients by URL are off"
        fault = find_url_fault(url)
        if fault is None and self.policy.hosts and read_host(url) not in self.policy.hosts:
            return "the host is not listed"
        return fault

    def _recall(self, url: str) -> ClientDocument | None:
        with self._lock:
            kept = self._remembered.get(url)
            if kept is None or kept[0].age(self._clock) >= kept[1]:
                self._remembered.pop(url, None)
                return None
            self._remembered.move_to_end(url)
            return kept[2]

    def _fetch(self, url: str) -> ClientDocument | str:
        with self._place(read_host(url)) as is_free:
            if not is_free:
                return "too many documents are being fetched"
            asked = Reading.of(self._clock)
            try:
                answer = self._outbound.get(url, accept="application/json", limit=LONGEST_DOCUMENT)
            except OutboundError as error:
                return str(error)
        document = self._check_keys(read_document(url, answer.status, answer.headers, answer.body))
        if isinstance(document, ClientDocument):
            self._remember(url, asked, choose_age(answer.headers).total_seconds(), document)
        return document

    def _check_keys(self, document: ClientDocument | str) -> ClientDocument | str:
        """Refuse a document whose keys are at a URL that may not be called (§6.5)."""
        uri = None if isinstance(document, str) else document.settings["jwks_uri"]
        if uri is not None:
            try:
                self._outbound.check_url(uri)
            except ValueError as fault:
                return f"jwks_uri {fault}"
        return document

    @contextmanager
    def _place(self, host: str) -> Iterator[bool]:
        with self._lock:
            is_free = self._waiting.total() < AT_ONCE and self._waiting[host] < AT_ONE_HOST
            if is_free:
                self._waiting[host] += 1
        try:
            yield is_free
        finally:
            if is_free:
                with self._lock:
                    self._waiting[host] -= 1
                    if not self._waiting[host]:
                        del self._waiting[host]  # anybody can make up hosts

    def _remember(self, url: str, asked: Reading, age: float, document: ClientDocument) -> None:
        with self._lock:
            self._remembered[url] = (asked, age, document)
            self._remembered.move_to_end(url)
            while len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)
