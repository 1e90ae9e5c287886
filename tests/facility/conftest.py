"""What tests of the facility share."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for the facility, the browser and the provider
