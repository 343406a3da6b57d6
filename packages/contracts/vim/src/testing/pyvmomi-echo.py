"""Reads one XML value a line (JSON text), has pyVmomi decode and encode it, and writes the result the same way."""
import json
import sys

from pyVmomi import SoapAdapter, VmomiSupport

version = VmomiSupport.newestVersions.Get("vim")
for line in sys.stdin:
    try:
        value = SoapAdapter.Deserialize(json.loads(line))
        answer = {"xml": SoapAdapter.SerializeToUnicode(value, version=version)}
    except Exception as error:
        answer = {"error": "%s: %s" % (type(error).__name__, error)}
    print(json.dumps(answer), flush=True)
