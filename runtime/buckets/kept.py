"""Opens the place of the signed tree heads that the settings name."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from audit.kept_heads import FileHeads, KeptHeads
from runtime.settings import Settings

FILE_NAME = "signed-heads.jsonl"


def open_kept_heads(settings: Settings) -> KeptHeads:
    """Return the heads at ``SIGNED_HEADS_URL``, or in a file in ``DATA_DIR``."""
    url = settings.signed_heads_url
    if not url:
        return FileHeads(settings.data_dir / FILE_NAME)
    if url.startswith("file://"):
        return FileHeads(Path(unquote(urlsplit(url).path)) / FILE_NAME)
    # Imported here: loading it takes longer than all the rest of the package.
    from runtime.buckets.bucket_heads import BucketHeads  # noqa: PLC0415 - as above

    return BucketHeads(url)
