"""HTML as a browser parses it, and texts that must not become markup."""

from html.parser import HTMLParser

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    'https://a.example/"onmouseover="alert(1)',
    "https://a.example/'onmouseover='alert(1)",
    "https://a.example/<script>alert(1)</script>",
    "https://a.example/&quot;onclick=alert(1)",
    "https://javascript:alert(1)",
    "javascript:alert(1)//https://a.example",
    "javascript://a.example/%0aalert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html;base64,PHNjcmlwdD4=",
    "&#106;avascript:alert(1)",
    "</div></room-chat><script>alert(1)</script>",
    "{{ constructor }} {% load x %} ${alert(1)}",
    "<!--",
    "]]>",
    "\u202ehttps://a.example",
    "https://a.example/\u2028<script>",
]


class Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data
