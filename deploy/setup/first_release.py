"""The agent's first release, which holds nobody: run as `python -m deploy.setup.first_release host.json`.

In: the path of `host.json`. Touched: `<root>/releases/000000` and `<root>/current`. Raises what `lay_first` raises.
It is built by the same code as every other, so that the daemons open the very files they will see later.
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
