"""What a file is: by its first bytes, else its name; unpacked if packed, refused if none reads it."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import re
import zipfile
import zlib

NATIVE = {"sav": "SPSS", "por": "SPSS", "dta": "Stata", "sas7bdat": "SAS", "xpt": "SAS transport"}
_OTHERS = {
    ".mdm": "a data file of HLM, which only HLM reads: save what it was made of as text or .sav",
    ".wsz": "a worksheet of MLwiN, which only MLwiN reads: save the data as .dta or as text there",
    ".ws": "a worksheet of MLwiN, which only MLwiN reads: save the data as .dta or as text there",
    ".sas7bcat": "a catalogue of SAS's value labels, without data: name the .sas7bdat file",
    ".jmp": "a table of JMP, which only JMP reads: save it as .csv there",
    ".mtw": "a worksheet of Minitab, which only Minitab reads: save it as .csv there",
    ".omv": "a file of jamovi: export the data as .csv there",
    ".jasp": "a file of JASP: export the data as .csv there",
    ".sps": "a program of SPSS, without data: name the .sav file",
    ".sas": "a program of SAS, without data: name the .sas7bdat file",
    ".do": "a program of Stata, without data: name the .dta file",
    ".inp": "an input of Mplus: name the data file that it reads, and the columns with columns (--columns)",
    ".html": "a page: save the table as CSV (UTF-8)",
    ".pdf": "a document: save the table as CSV (UTF-8)",
    ".docx": "a document: save the table as CSV (UTF-8)",
    ".numbers": "a sheet of Apple's Numbers: export it as .xlsx or .csv there",
}
_PACKED = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zst"}
_ZIP = b"PK\x03\x04"
_R = re.compile(rb"(RDX[23]\n|RDA[23]\n|X\n\0\0\0[\2\3]|A\n[23]\n\d+\n\d+\n)")
_SAS = bytes(12) + b"\xc2\xea\x81\x60"


def needed(module, path, kind):
    """Import what reads a kind of file, or say that it is not there."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = {"python_calamine": "python-calamine"}.get(module.split(".")[0], module.split(".")[0])
        raise ValueError(
            f"{str(path)!r} is {kind}, which needs {package}: install it (pip install {package}), or save "
            "the table as CSV"
        ) from None


def one_line(error) -> str:
    """What an error of somebody else's says, on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def may_be_packed(head) -> bool:
    """Whether a file that begins so may be packed; a workbook is an archive, too."""
    return head.startswith((*_PACKED, _ZIP))


def unpacked(raw, path) -> tuple[bytes, str]:
    """Return what is in a packed file, and how it was packed; a zip must hold one file."""
    how = next((how for mark, how in _PACKED.items() if raw.startswith(mark)), "")
    if not how and _is_plain_zip(raw):
        how = "zip"
    if not how:
        return raw, ""
    try:
        if how == "zst":
            arrow = needed("pyarrow", path, "packed by zstd")
            return arrow.CompressedInputStream(arrow.BufferReader(raw), "zstd").read(), how
        if how == "zip":
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                names = [one for one in archive.namelist() if not one.endswith("/") and "__MACOSX" not in one]
                if len(names) != 1:
                    raise ValueError(
                        f"{str(path)!r} is an archive of {len(names)} files: unpack it, and name one of them"
                    )
                return archive.read(names[0]), how
        return {"gz": gzip, "bz2": bz2, "xz": lzma}[how].decompress(raw), how
    except (OSError, EOFError, RuntimeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise ValueError(f"{str(path)!r} cannot be unpacked ({how}): {one_line(error)}") from None


def _is_plain_zip(raw):
    """Whether bytes are an archive and no workbook."""
    if raw[:4] != _ZIP:
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return False
    return not any(name in ("[Content_Types].xml", "mimetype", "content.xml") for name in names)


def kind_of(raw, path) -> str:
    """Name what bytes, or the first, are: a key of `NATIVE`, "parquet", "arrow", "excel", "r", or "text"."""
    suffix = path.suffix.lower()
    if raw[:4] in (b"$FL2", b"$FL3"):
        return "sav"
    if raw.startswith(_SAS):
        return "sas7bdat"
    if raw.startswith(b"HEADER RECORD*******LIB"):
        return "xpt"
    if raw.startswith(b"<stata_dta>") or (suffix == ".dta" and raw[:1] and 102 <= raw[0] <= 115):
        return "dta"
    if suffix == ".por" or b"SPSS PORT FILE" in raw[:300]:
        return "por"
    if raw[:4] == b"PAR1":
        return "parquet"
    if raw[:6] == b"ARROW1" or raw[:4] == b"FEA1":
        return "arrow"
    if raw[:4] in (_ZIP, b"\xd0\xcf\x11\xe0") and suffix not in _OTHERS:
        return "excel"
    if _R.match(raw):
        return "r"
    if suffix in _OTHERS:
        raise ValueError(f"{str(path)!r} is {_OTHERS[suffix]}")
    if suffix.strip(".") in NATIVE:
        raise ValueError(f"{str(path)!r} is no file of {NATIVE[suffix.strip('.')]} in spite of its name")
    if suffix in (".rds", ".rda", ".rdata"):
        raise ValueError(f"{str(path)!r} is no file of R's save or saveRDS in spite of its name")
    return "text"
