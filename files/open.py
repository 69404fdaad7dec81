"""Opens the file store that the settings name."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from files.directory import DirectoryFiles
from files.store import FileStore
from runtime.settings import Settings


def open_files(settings: Settings) -> FileStore:
    """Return the store of ``FILES_URL``, or the directory below ``DATA_DIR``."""
    deadline_s = settings.files_deadline.total_seconds()
    if settings.files_url.startswith("file://"):
        path = Path(unquote(urlsplit(settings.files_url).path))
        return DirectoryFiles(path, deadline_s=deadline_s)
    if not settings.files_url:
        return DirectoryFiles(settings.data_dir / "files", deadline_s=deadline_s)
    # Imported here: loading it takes longer than all the rest of the package.
    from files.s3 import S3Files  # noqa: PLC0415 - as above

    return S3Files(settings.files_url, deadline_s=deadline_s)
