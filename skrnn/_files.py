"""Files that others see complete, or as they were."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

# Seconds after which a part of a file is that of a process that was killed.
_ABANDONED = 600


def write(content, path):
    """Write a file that others see complete, or as it was."""
    status = _status(path)
    if status is not None and not stat.S_ISREG(status.st_mode):
        path.write_bytes(content)  # to a device, say, which no file must replace
        return
    path = Path(os.path.realpath(path))
    # Its name is that of this call alone, and short, whatever that of the file.
    part = path.with_name(f".skrnn-{secrets.token_hex(8)}.part")
    try:
        with open(part, "xb") as file:
            if status is not None:
                part.chmod(stat.S_IMODE(status.st_mode))  # before it can be read
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # before its name leads to it, lest power fail
            now = os.fstat(file.fileno()).st_mtime
        os.replace(part, path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename == str(part):
            error.filename = str(path)  # which the user knows
        raise
    _remove_abandoned(path.parent, now)


def _status(path):
    """The status of a file that may be replaced, or None if there is no file.

    Raises
    ------
    OSError
        If it must not be written.
    """
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode):
            with open(path, "r+b"):
                pass
    except FileNotFoundError:
        return None
    return status


def _remove_abandoned(folder, now):
    """Remove what processes that were killed have left in a folder.

    Parameters
    ----------
    folder : Path
    now : float
        Seconds, by the clock of the file system.
    """
    with suppress(OSError):  # of others
        for part in folder.glob(".skrnn-*.part"):
            if now - part.lstat().st_mtime > _ABANDONED:
                part.unlink()
