"""Action plugins and the event source plugin, for `datahub actions`.

DataHub's command line shows what its own packages log from INFO on, and of all others only
warnings. Beginning and end of an outage, of a reconcile, of a drain belong into that log.
"""

import sys

_manager = sys.modules.get("datahub.utilities.logging_manager")
_shown: list[str] = getattr(_manager, "DATAHUB_PACKAGES", [])
if "dataspoke" not in _shown:
    _shown.append("dataspoke")
