import { describe, expect, it } from 'vitest';
import { machineArguments } from './index.ts';
import type { MachineCommandLine } from './index.ts';

const machine: MachineCommandLine = {
  name: 'a,b',
  uuid: '564d0000-0000-0000-0000-000000000001',
  acceleration: { accel: 'tcg,tb-size=32', cpu: 'max,-erms' },
  cpus: 2,
  memoryMiB: 512,
  memory: { kind: 'file', path: '/run/m,1.ram', shared: true },
  boot: { kernel: '/boot/vmlinux', initramfs: '/boot/initramfs', commandLine: 'quiet a=b,c' },
  qmpSocket: '/run/qmp',
  ports: {
    tether: { kind: 'connect', host: '10.0.0.1', port: 2377 },
    log: { kind: 'append', path: '/store/output.log' },
    guestinfoIn: { kind: 'pipe', path: '/run/guestinfo' },
    guestinfoOut: { kind: 'append', path: '/run/journal' },
  },
  nic: { mac: '02:00:00:00:00:01', tap: 'tap0' },
  incoming: false,
};

describe('machineArguments()', () => {
  it('keeps a value with a comma in one piece', () => {
    const args = machineArguments(machine);
    expect(valueOf(args, '-name')).toBe('a,,b');
    expect(valueOf(args, '-object')).toBe('memory-backend-file,id=ram,size=512M,mem-path=/run/m,,1.ram,share=on');
  });

  it('lets QEMU start no program and gain no privilege', () => {
    expect(valueOf(machineArguments(machine), '-sandbox')).toBe(
      'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny',
    );
  });

  it('names the four ports the guest looks for', () => {
    const names = machineArguments(machine).flatMap((word) => /virtserialport.*name=(.*)$/.exec(word)?.[1] ?? []);
    expect(names).toEqual(['vic.tether.0', 'vic.log.0', 'vic.guestinfo.in', 'vic.guestinfo.out']);
  });

  it('redials the interaction channel and appends to logs', () => {
    const args = machineArguments(machine);
    expect(args).toContain('socket,id=tether,host=10.0.0.1,port=2377,reconnect=1');
    expect(args).toContain('file,id=log,path=/store/output.log,append=on');
  });

  it('gives a clone the same devices at the same addresses as its source', () => {
    const clone = machineArguments({
      ...machine,
      memory: { kind: 'file', path: '/run/m,1.ram', shared: false },
      nic: { mac: '02:00:00:00:00:02', tap: 'tap1' },
      ports: { ...machine.ports, tether: { kind: 'none' } },
      incoming: true,
    });
    expect(devices(clone)).toEqual(devices(machineArguments(machine)));
    expect(valueOf(clone, '-netdev')).toBe('tap,id=net0,ifname=tap1,script=no,downscript=no,vnet_hdr=on');
    expect(valueOf(clone, '-incoming')).toBe('defer');
    expect(clone).not.toContain('-S');
  });

  it('boots nothing when there is nothing to boot', () => {
    const args = machineArguments({ ...machine, boot: undefined, memory: { kind: 'anonymous' } });
    expect(args).not.toContain('-kernel');
    expect(valueOf(args, '-object')).toBe('memory-backend-ram,id=ram,size=512M');
  });
});

function valueOf(args: readonly string[], option: string): string | undefined {
  return args[args.indexOf(option) + 1];
}

function devices(args: readonly string[]): readonly string[] {
  return args.filter((_, index) => args[index - 1] === '-device').map((device) => device.replace(/,mac=.*/, ''));
}
