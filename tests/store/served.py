"""What an installation serves, as `tollbridge load` says it.

SERVED   the protocols and methods that there are
"""

from partner_api.dispatch import METHODS
from smsc_link.protocols import PROTOCOLS
from store.provisioning import Served
from tollbridge.commands.provision import link_fault

SERVED = Served(protocols=PROTOCOLS, methods=METHODS, link_fault=link_fault)
