"""Contents of files, one of every type that is recognised."""

import struct
import zipfile
from io import BytesIO
from zlib import crc32

import pillow_heif
from PIL import Image


def picture(form="PNG", size=(8, 6), colour="red", *, mode="RGB", **options):
    """An image of one colour."""
    return written(Image.new(mode, size, colour), form, **options)


def written(image, form, **options):
    content = BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def heic(image=None, **options):
    """A HEIC, by default of one colour."""
    content = BytesIO()
    pillow_heif.from_pillow(image or Image.new("RGB", (8, 6), "red")).save(content, **options)
    return content.getvalue()


def moving(form="GIF", size=(8, 6), frames=3, **options):
    """An animation: every frame is of another colour."""
    first, *others = (Image.new("RGB", size, (60 * number, 0, 200)) for number in range(frames))
    return written(first, form, save_all=True, append_images=others, duration=70, loop=0, **options)


def archive(**contents):
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name, body in contents.items():
            made.writestr(name, body)
    return content.getvalue()


def png_of_size(width, height):
    """The beginning of a PNG, with its size and without pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", crc32(head)) + b"\0\0\0\0IDAT"
    )


def mp4(brand, *compatible, tracks=(), before=b""):
    """The beginning of an MP4 with tracks of these handlers. A recorder writes the samples *before* the list of tracks."""
    return box(b"ftyp", brand, b"\0\0\2\0", *(compatible or [b"mp41"])) + before + movie(*tracks)


def movie(*tracks):
    """The list of tracks of an MP4 or QuickTime file, with a handler in its metadata that is no track."""
    if not tracks:
        return box(b"free")
    metadata = box(b"udta", box(b"meta", bytes(4), box(b"hdlr", bytes(8), b"mdir", bytes(12))))
    handlers = (
        box(b"mdia", box(b"mdhd", bytes(24)), box(b"hdlr", bytes(8), kind, bytes(13))) for kind in tracks
    )
    return box(
        b"moov",
        box(b"mvhd", bytes(100)),
        *(box(b"trak", box(b"tkhd", bytes(84)), one) for one in handlers),
        metadata,
    )


def box(name, *parts):
    content = b"".join(parts)
    return struct.pack(">I", 8 + len(content)) + name + content


def webm(*tracks):
    """A WebM with tracks of these types: 1 is video, 2 is sound. The size of its segment is unknown, as in a recording."""
    entries = (element(b"\xae", element(b"\xd7", b"\1"), element(b"\x83", bytes([kind]))) for kind in tracks)
    head = element(b"\x1a\x45\xdf\xa3", element(b"\x42\x86", b"\1"), element(b"\x42\x82", b"webm"))
    info = element(b"\x15\x49\xa9\x66", bytes(200))
    return head + b"\x18\x53\x80\x67\x01" + b"\xff" * 7 + info + element(b"\x16\x54\xae\x6b", *entries)


def element(name, *parts):
    content = b"".join(parts)
    return name + struct.pack(">H", 0x4000 | len(content)) + content


PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
TEXT = "Tee, Kaffee, 차\n".encode()
SAMPLES = {
    "image/jpeg": picture("JPEG"),
    "image/png": picture("PNG"),
    "image/gif": picture("GIF"),
    "image/webp": picture("WEBP"),
    "image/avif": picture("AVIF"),
    "image/heic": heic(),
    "application/pdf": PDF,
    "text/plain": TEXT,
    "application/zip": archive(note="hi"),
    "application/x-ole-storage": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(40),
    "application/x-7z-compressed": b"7z\xbc\xaf\x27\x1c\0\4" + bytes(40),
    "application/vnd.rar": b"Rar!\x1a\x07\x01\0" + bytes(40),
    "application/gzip": b"\x1f\x8b\x08\0" + bytes(20),
    "audio/aac": b"\xff\xf1\x50\x80\x02\x1f\xfc\xde" + bytes(40),
    "audio/flac": b"fLaC\x00\x00\x00\x22" + bytes(40),
    "audio/mp4": mp4(b"M4A "),
    "audio/mpeg": b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"\xff\xfb\x90\x00" + bytes(40),
    "audio/ogg": b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01" + bytes(20),
    "audio/wav": b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(40),
    "audio/webm": webm(2),
    "video/mp4": mp4(b"isom"),
    "video/ogg": b"OggS\x00\x02" + bytes(20) + b"\x01\x2a\x80theora" + bytes(20),
    "video/quicktime": mp4(b"qt  "),
    "video/webm": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\x82\x84webm\x42\x87\x81\x04"
    + bytes(20),
    "application/octet-stream": b"MZ\x90\x00\x03\x00\x00\x00" + bytes(60),
}
