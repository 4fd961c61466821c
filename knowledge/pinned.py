"""Requests to public hosts only: each goes to an address that was checked, and each redirect is checked again."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.metadata import version

import httpx

from knowledge.addresses import Network, WebError, checked, literal, resolve, vetted
from knowledge.media import inflated, too_large

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class WebLimits:
    """`size` and `sitemap`: bytes of a page and of a sitemap, unpacked. `seconds`: for a page, redirects and all.

    `silence`: the longest wait for a connection or for more of an answer. `pages`: the most a sitemap may list.
    `pause`: the longest that we wait between pages for a site that asks us to. `ports`: those that may be asked.
    `allow`: networks that may be asked though they are not public, such as the operator's own intranet.
    """

    size: int = 20_000_000
    sitemap: int = 10_000_000
    seconds: float = 60.0
    silence: float = 10.0
    redirects: int = 5
    pages: int = 500
    pause: float = 10.0
    ports: frozenset[int] = frozenset({80, 443})
    allow: tuple[Network, ...] = ()


class Pinned:
    """Asks; a call raises WebError and nothing else. Nothing is kept between requests, cookies neither.

    A host is resolved once for each hop, each address it has is checked, and the connection goes to the address
    that was checked: there is no second resolution that could answer otherwise. Proxies of the environment are not
    used, since they would resolve for themselves. A connection serves one request, so that no request profits from
    the certificate that another host has shown.
    """

    def __init__(self, limits: WebLimits, resolver: Resolve = resolve, context: ssl.SSLContext | None = None) -> None:
        self.limits = limits
        self.agent = f"Zhubo/{version('zhubo')}"
        self._resolve = resolver
        self._context = context

    @asynccontextmanager
    async def answer(
        self, url: httpx.URL, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[tuple[httpx.URL, httpx.Response]]:
        """The answer that is no redirect, and whose it is. The block must read it in the time that is left."""
        with _translated(self.limits):
            async with asyncio.timeout(self.limits.seconds):
                for _ in range(self.limits.redirects + 1):
                    async with self._hop(url, headers or {}) as response:
                        if response.status_code not in _REDIRECTS:
                            yield url, response
                            return
                        url = self._next(url, response)
        raise WebError("redirects", f"the address redirects more than {self.limits.redirects} times")

    def _next(self, url: httpx.URL, response: httpx.Response) -> httpx.URL:
        try:
            joined = str(url.join(response.headers["location"]))
        except (KeyError, httpx.InvalidURL, ValueError) as error:
            raise WebError("redirects", "the address redirects to nowhere") from error
        target = checked(joined, self.limits.ports)
        if (url.scheme, target.scheme) == ("https", "http"):
            raise WebError("redirects", "the address redirects from https to http, which is not safe")
        return target

    @asynccontextmanager
    async def _hop(self, url: httpx.URL, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """One request, to an address that was checked; the host's name stays in it, and in the certificate's check."""
        addresses = await self._addresses(url)
        if self._context is None:
            self._context = await asyncio.to_thread(_trusting)
        failure: httpx.ConnectError | httpx.ConnectTimeout | None = None
        for address in addresses:
            request = httpx.Request(
                "GET",
                url.copy_with(host=address),
                headers={"Host": url.netloc.decode("ascii"), **_headers(self.agent), **headers},
                extensions={
                    "timeout": httpx.Timeout(self.limits.silence).as_dict(),
                    "sni_hostname": url.raw_host.decode("ascii").removesuffix("."),
                },
            )
            async with httpx.AsyncHTTPTransport(verify=self._context, trust_env=False) as transport:
                try:
                    response = await transport.handle_async_request(request)
                except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                    failure = error
                    continue
                try:
                    yield response
                finally:
                    await response.aclose()
                return
        if failure is not None:
            raise failure

    async def _addresses(self, url: httpx.URL) -> list[str]:
        host = url.raw_host.decode("ascii")
        itself = literal(host)
        if itself is not None:
            return vetted([str(itself)], self.limits.allow)
        try:
            found = await self._resolve(host, url.port or (443 if url.scheme == "https" else 80))
        except (OSError, ValueError) as error:
            raise WebError("unresolved", "the host name has no address; check its spelling") from error
        return vetted(found, self.limits.allow)


def _trusting() -> ssl.SSLContext:
    """The usual certificates and the machine's own: an intranet may have its own authority."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context


def _headers(agent: str) -> dict[str, str]:
    return {"User-Agent": agent, "Accept": "*/*", "Accept-Encoding": "gzip", "Accept-Language": "zh, en"}


async def body(response: httpx.Response, most: int) -> bytes:
    """The whole content; WebError(`too_large`) as soon as it is more than `most`, packed or unpacked."""
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    if packing not in ("", "identity", "gzip", "x-gzip"):
        raise WebError("encoding", f"the server packs its answer as {packing[:20]!r}, which was not asked for")
    data = bytearray()
    async for block in response.aiter_raw():
        data += block
        if len(data) > most:
            raise too_large(most)
    packed = "gzip" in packing
    return await asyncio.to_thread(inflated, bytes(data), most) if packed else bytes(data)


@contextmanager
def _translated(limits: WebLimits) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise WebError("slow", f"the server took longer than {limits.seconds:g} s; try again later") from error
    except httpx.ConnectTimeout as error:
        raise WebError("unreachable", f"the server does not answer within {limits.silence:g} s") from error
    except httpx.TimeoutException as error:
        raise WebError("slow", f"the server was silent for {limits.silence:g} s; try again later") from error
    except (httpx.TransportError, OSError) as error:
        raise _failure(error) from error


def _failure(error: Exception) -> WebError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return WebError("tls", f"the server's certificate is not valid for the address: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError):
            return WebError("tls", "no safe connection to the server can be made")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectError):
        return WebError("unreachable", "the server cannot be reached; check the address")
    return WebError("broken", "the server broke off or does not speak HTTP; try again later")
