"""Style sheets of CSS frameworks from the npm registry, as a site includes them."""

import os
import re
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.services import npm


@dataclass(frozen=True)
class Framework:
    spec: str
    sha512: str
    path: str


FRAMEWORKS = {
    "Bootstrap": Framework(
        "bootstrap@5.3.9",
        "20cU0rcfw8WdxtVbmfU+xT2EjvVTw9Ror/h1Qvd7DXCujRg8OO9mdBCsmTHdJFf3BuadmBNJtgIuUXsBqSkk/w==",
        "dist/css/bootstrap.min.css",
    ),
    "Bulma": Framework(
        "bulma@1.0.4",
        "Ffb6YGXDiZYX3cqvSbHWqQ8+LkX6tVoTcZuVB3lm93sbAVXlO0D6QlOTMnV6g18gILpAXqkG2z9hf9z4hCjz2g==",
        "css/bulma.min.css",
    ),
    "Pico": Framework(
        "@picocss/pico@2.1.1",
        "kIDugA7Ps4U+2BHxiNHmvgPIQDWPDU4IeU6TNRdvXQM1uZX+FibqDQT2xUOnnO2yq/LUHcwnGlu1hvf4KfXnMg==",
        "css/pico.min.css",
    ),
    "Tailwind 3": Framework(
        "tailwindcss@3.4.9",
        "1SEOvRr6sSdV5IDf9iC+NU4dhwdqzF4zKKq3sAbasUWHEM6lsMhX+eNN5gkPx1BvLFEnZQEUFbXnGj8Qlp83Pg==",
        "src/css/preflight.css",
    ),
    "Tailwind 4": Framework(
        "tailwindcss@4.3.5",
        "FcQk9BuffmEHJP2G0XmB2SplU1aLTI7j07Kunk+U74Ny+XiWOtzXz9aujFZ/avntw1e2cOv/3PkgzflQ7gX2vQ==",
        "index.css",
    ),
}


def sheets() -> dict[str, str]:
    """Return the style sheet of each framework. They are fetched once, and kept beside the fetched Chromium."""
    cache = (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "django-roomchat" / "frameworks"
    )
    files = {name: cache / f"{one.sha512[:16].replace('/', '_')}.css" for name, one in FRAMEWORKS.items()}
    if not all(file.exists() for file in files.values()):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            _fetch(Path(scratch), files)
    return {name: file.read_text() for name, file in files.items()}


def _fetch(folder: Path, files: dict[str, Path]) -> None:
    names = {one.sha512: name for name, one in FRAMEWORKS.items()}
    for tarball in npm.pack(folder, *(one.spec for one in FRAMEWORKS.values())):
        name = names[npm.verify(tarball, *names)]
        with tarfile.open(tarball) as package:
            member = package.extractfile(f"package/{FRAMEWORKS[name].path}")
            assert member is not None
            complete = folder / files[name].name
            complete.write_text(_built(member.read().decode()))
        complete.replace(files[name])


def _built(css: str) -> str:
    """Replace Tailwind's function `theme()` by its second argument, as Tailwind does for a default theme."""
    return re.sub(r"(?:--)?theme\(\s*[^,()]+,\s*([^()]*)\)", r"\1", css)
