"""Static files under names that carry their hash, so that a browser may keep them for ever."""

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStorage(CompressedManifestStaticFilesStorage):
    """Third-party files mention source maps that are not installed: a missing one is no error."""

    manifest_strict = False

    def create_compressor(self, **options: Any) -> Any:
        """By gzip alone: WeasyPrint brings brotli along, with which every start would take a minute longer."""
        return super().create_compressor(use_brotli=False, **options)
