"""What the layers of an Office package raise for a file with wrong bytes in it."""

import lzma
import struct
import zipfile
import zlib

DAMAGE = (
    (SyntaxError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError)
    + (LookupError, ValueError, TypeError, AttributeError, AssertionError, ArithmeticError, RuntimeError, OSError)
)  # fmt: skip
