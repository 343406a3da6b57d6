import { existsSync } from 'node:fs';
import { run } from '@vic/process';
import { describe, expect, it } from 'vitest';
import { startHost } from './testing/host-under-test.ts';

const PYVMOMI = '/usr/lib/python3/dist-packages/pyVmomi/__init__.py';
const missing = !existsSync(PYVMOMI);

/** Connects, creates a machine, follows it with a filter, asks an old version again, powers it and destroys it. */
const PROGRAM = `
import ssl, sys, json
from pyVim.connect import SmartConnect, Disconnect
from pyVim.task import WaitForTask
from pyVmomi import vim, vmodl
port, password = json.load(sys.stdin)
context = ssl._create_unverified_context()
si = SmartConnect(host='127.0.0.1', port=port, user='root', pwd=password, sslContext=context)
content = si.RetrieveContent()
dc = content.rootFolder.childEntity[0]
pool = dc.hostFolder.childEntity[0].resourcePool
out = {'api': content.about.apiType}
scsi = vim.vm.device.VirtualDeviceSpec(operation='add', device=vim.vm.device.ParaVirtualSCSIController(key=-1, busNumber=0, sharedBus='noSharing'))
spec = vim.vm.ConfigSpec(name='py', memoryMB=32, numCPUs=1, guestId='otherGuest64', files=vim.vm.FileInfo(vmPathName='[datastore1]'),
  deviceChange=[scsi], extraConfig=[vim.option.OptionValue(key='guestinfo.k', value='v')])
task = dc.vmFolder.CreateVM_Task(spec, pool)
WaitForTask(task, si=si)
vm = task.info.result
out['name'] = vm.name
view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
traversal = vmodl.query.PropertyCollector.TraversalSpec(name='t', path='view', skip=False, type=vim.view.ContainerView)
filt = vmodl.query.PropertyCollector.FilterSpec(
  objectSet=[vmodl.query.PropertyCollector.ObjectSpec(obj=view, skip=True, selectSet=[traversal])],
  propSet=[vmodl.query.PropertyCollector.PropertySpec(type=vim.VirtualMachine, pathSet=['runtime.powerState', 'config.extraConfig["guestinfo.k"]'])])
pc = content.propertyCollector.CreatePropertyCollector()
pc.CreateFilter(filt, True)
wait = vmodl.query.PropertyCollector.WaitOptions(maxWaitSeconds=5)
def kinds(s): return [(o.kind, [(c.name, str(c.val.value) if hasattr(c.val, 'value') else str(c.val)) for c in o.changeSet]) for f in s.filterSet for o in f.objectSet]
s = pc.WaitForUpdatesEx('', wait)
out['enter'] = kinds(s)
WaitForTask(vm.PowerOn(), si=si)
s2 = pc.WaitForUpdatesEx(s.version, wait)
again = pc.WaitForUpdatesEx(s.version, wait)
out['modify'] = kinds(s2)
out['repeated'] = kinds(again) == kinds(s2) and again.version == s2.version
try:
  WaitForTask(vm.PowerOn(), si=si)
except vim.fault.InvalidPowerState as fault:
  out['fault'] = fault.existingState
WaitForTask(vm.PowerOff(), si=si)
WaitForTask(vm.Destroy(), si=si)
version = s2.version
while True:
  update = pc.WaitForUpdatesEx(version, wait)
  version = update.version
  if any(kind == 'leave' for kind, _ in kinds(update)): break
out['left'] = True
out['idle'] = pc.WaitForUpdatesEx(version, vmodl.query.PropertyCollector.WaitOptions(maxWaitSeconds=0)) is None
out['event'] = [type(e).__name__ for e in content.eventManager.QueryEvents(vim.event.EventFilterSpec()) if isinstance(e, vim.event.VmRemovedEvent)]
Disconnect(si)
print(json.dumps(out))
`;

describe.skipIf(missing)(`${missing ? 'pyVmomi (not installed: apt-get install python3-pyvmomi)' : 'pyVmomi'}`, () => {
  it('connects, creates a machine, follows it and destroys it', async () => {
    await using host = await startHost();
    const input = JSON.stringify([host.server.address.port, host.password]);
    const { stdout } = await run('/usr/bin/python3', ['-W', 'ignore', '-c', PROGRAM], { input, timeoutMs: 150_000 });
    expect(JSON.parse(stdout)).toEqual({
      api: 'HostAgent',
      name: 'py',
      enter: [
        [
          'enter',
          [
            ['runtime.powerState', 'poweredOff'],
            ['config.extraConfig["guestinfo.k"]', 'v'],
          ],
        ],
      ],
      modify: [['modify', [['runtime.powerState', 'poweredOn']]]],
      repeated: true,
      fault: 'poweredOn',
      left: true,
      idle: true,
      event: ['vim.event.VmRemovedEvent'],
    });
  });
});
