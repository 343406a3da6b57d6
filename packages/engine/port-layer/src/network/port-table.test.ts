import type { ContainerId } from '@vic/ids';
import { describe, expect, it } from 'vitest';
import type { PortBinding } from '../execution/index.ts';
import { PortTable } from './port-table.ts';
import type { PortOwner } from './port-table.ts';

const owner = (name: string, address = '172.16.0.2'): PortOwner => ({
  containerId: name as ContainerId,
  containerName: name,
  endpoint: { address },
});
const binding = (containerPort: number, hostPort: number, rest: Partial<PortBinding> = {}): PortBinding => ({
  containerPort,
  hostPort,
  protocol: 'tcp',
  hostAddress: '',
  ...rest,
});
const table = (): PortTable => new PortTable({ publicAddress: '192.168.254.10', reserved: [2376] });

describe('PortTable', () => {
  it("refuses a taken port in Docker's words and takes none of the others", () => {
    const ports = table();
    ports.allocate(owner('web'), [binding(80, 80)]);
    expect(() => ports.allocate(owner('other'), [binding(81, 81), binding(80, 80)])).toThrow(
      'driver failed programming external connectivity on endpoint other: ' +
        'Bind for 0.0.0.0:80 failed: port is already allocated',
    );
    expect(ports.published().map((port) => port.hostPort)).toEqual([80]);
  });

  it('tells TCP and UDP apart, and frees all ports of a container', () => {
    const ports = table();
    ports.allocate(owner('dns'), [binding(53, 53), binding(53, 53, { protocol: 'udp' })]);
    expect(ports.free('dns' as ContainerId)).toBe(true);
    expect(ports.free('dns' as ContainerId)).toBe(false);
    expect(ports.published()).toEqual([]);
  });

  it('chooses ephemeral ports from 32768 on, after those asked for by number', () => {
    const ports = table();
    const chosen = ports.allocate(owner('web'), [binding(80, 0), binding(81, 32_768), binding(82, 0)]);
    expect(chosen.map((port) => [port.containerPort, port.hostPort])).toEqual([
      [80, 32_769],
      [81, 32_768],
      [82, 32_770],
    ]);
  });

  it("refuses the endpoint's own ports and addresses that are not its own", () => {
    const ports = table();
    expect(() => ports.allocate(owner('a'), [binding(80, 2376)])).toThrow(/2376 failed: port is already allocated/);
    expect(() => ports.allocate(owner('a'), [binding(80, 80, { hostAddress: '127.0.0.1' })])).toThrow(
      /only supported for 0.0.0.0 and the public interface/,
    );
    expect(ports.allocate(owner('a'), [binding(80, 80, { hostAddress: '192.168.254.10' })])).toHaveLength(1);
  });

  it('says so when the ephemeral range is used up', () => {
    const ports = table();
    const all = Array.from({ length: 60_999 - 32_768 + 1 }, (_unused, index) => binding(index + 1, 0));
    ports.allocate(owner('greedy'), all);
    expect(() => ports.allocate(owner('late'), [binding(80, 0)])).toThrow(/all ports are allocated/);
    ports.free('greedy' as ContainerId);
    expect(ports.allocate(owner('late'), [binding(80, 0)])).toHaveLength(1);
  });
});
