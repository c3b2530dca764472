"""The agent's first release, which holds nobody: run as `python -m deploy.setup.first_release host.json`.

In: the path of `host.json`. Touched: `<root>/releases` and `<root>/current`, unless a release is live.
Raises what `lay_first` raises.
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from deploy.host.apply import lay_first
from deploy.host.layout import Layout

if __name__ == "__main__":
    os.umask(0o022)
    lay_first(Layout.read(Path(sys.argv[1])), datetime.now(UTC))
