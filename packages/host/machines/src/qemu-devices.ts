import { VicError, isVicError } from '@vic/errors';
import { retry } from '@vic/async';
import type { DiskAttachment } from '@vic/inventory';
import { SCSI_BUS } from '@vic/qemu';
import type { QmpClient } from '@vic/qemu';
import type { NicRecord } from './machine-record.ts';

/** The guest takes part in unplugging a PCI device; one that does not answer keeps it. */
const UNPLUG_TIMEOUT_MS = 10_000;
/** VIM's SCSI controllers take units 0–15; 7 is the controller itself. */
const CONTROLLER_UNIT = 7;
const MAX_UNIT = 15;
/** The unit of the disk that clones have, where a machine keeps a place for one. */
export const RESERVED_UNIT = 0;
const PLACEHOLDER = 'reserved';

/** Plugs a disk into a machine that is paused or running; its SCSI id is the unit number. */
export async function plugDisk(client: QmpClient, disk: DiskAttachment, signal: AbortSignal): Promise<void> {
  const { key, unitNumber, readOnly } = disk;
  if (unitNumber < 0 || unitNumber > MAX_UNIT || unitNumber === CONTROLLER_UNIT) throw badUnit(disk);
  const file = { driver: 'file', filename: disk.path, 'read-only': readOnly, discard: 'unmap' };
  const block = { driver: 'qcow2', 'read-only': readOnly, discard: 'unmap', file };
  await plugBlock(client, { device: diskDevice(key), node: diskNode(key), unitNumber }, block, signal);
}

/** Plugs an empty disk into the place that is kept for a clone's. */
export async function plugPlaceholder(client: QmpClient, sizeBytes: number, signal: AbortSignal): Promise<void> {
  const block = { driver: 'null-co', size: sizeBytes, 'read-zeroes': true, discard: 'unmap' };
  await plugBlock(client, { device: PLACEHOLDER, node: PLACEHOLDER, unitNumber: RESERVED_UNIT }, block, signal);
}

/** Makes room in the place kept for a clone's disk, of a machine that runs without one there. */
export async function unplugPlaceholder(client: QmpClient, signal: AbortSignal): Promise<void> {
  const nodes = await client.execute('query-named-block-nodes', { flat: true }, { signal });
  const isThere =
    Array.isArray(nodes) && nodes.some((node: { 'node-name'?: unknown }) => node['node-name'] === PLACEHOLDER);
  if (!isThere) return;
  await unplug(client, PLACEHOLDER, signal);
  await client.execute('blockdev-del', { 'node-name': PLACEHOLDER }, { signal });
}

async function plugBlock(
  client: QmpClient,
  { device, node, unitNumber }: { readonly device: string; readonly node: string; readonly unitNumber: number },
  block: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<void> {
  await client.execute('blockdev-add', { ...block, 'node-name': node }, { signal });
  try {
    const place = { bus: SCSI_BUS, channel: 0, 'scsi-id': unitNumber, lun: 0 };
    await client.execute('device_add', { driver: 'scsi-hd', id: device, drive: node, ...place }, { signal });
  } catch (error) {
    await client.execute('blockdev-del', { 'node-name': node });
    throw error;
  }
}

/** Unplugs a disk; what the guest wrote is on it. */
export async function unplugDisk(client: QmpClient, key: number, signal: AbortSignal): Promise<void> {
  await unplug(client, diskDevice(key), signal);
  // Requests under way may hold the image a moment longer.
  await retry(async () => client.execute('blockdev-del', { 'node-name': diskNode(key) }, { signal }), {
    retryIf: (error) => isVicError(error, { code: 'QMP_REFUSED' }),
    attempts: 10,
    initialDelayMs: 20,
    maxDelayMs: 500,
    signal,
  });
}

/** Plugs a further network card in. */
export async function plugNic(client: QmpClient, nic: NicRecord, signal: AbortSignal): Promise<void> {
  const netdev = nicNetdev(nic.device);
  const backend = { type: 'tap', id: netdev, ifname: nic.port, script: 'no', downscript: 'no', vnet_hdr: true };
  await client.execute('netdev_add', backend, { signal });
  try {
    const device = { driver: 'virtio-net-pci', id: nic.device, netdev, mac: nic.mac, romfile: '', bus: 'pci.0' };
    await client.execute('device_add', device, { signal });
  } catch (error) {
    await client.execute('netdev_del', { id: netdev });
    throw error;
  }
}

/** Unplugs a network card together with its connection to the tap. */
export async function unplugNic(client: QmpClient, device: string, signal: AbortSignal): Promise<void> {
  await unplug(client, device, signal);
  await client.execute('netdev_del', { id: nicNetdev(device) }, { signal });
}

/** Plugs or pulls the cable. */
export async function setLink(client: QmpClient, device: string, up: boolean, signal: AbortSignal): Promise<void> {
  await client.execute('set_link', { name: device, up }, { signal });
}

/** QEMU's id of the network card with that key, when it was not there from the beginning. */
export function nicDevice(key: number): string {
  return `nic-${key}`;
}

function nicNetdev(device: string): string {
  return device.replace(/^nic-?/, 'net');
}

function diskDevice(key: number): string {
  return `disk-${key}`;
}

function diskNode(key: number): string {
  return `node-${key}`;
}

async function unplug(client: QmpClient, device: string, signal: AbortSignal): Promise<void> {
  await client.executeAndAwait(
    async () => client.execute('device_del', { id: device }, { signal }),
    (event) => event.name === 'DEVICE_DELETED' && event.data['device'] === device,
    `the guest to let go of ${device}`,
    { timeoutMs: UNPLUG_TIMEOUT_MS, signal },
  );
}

function badUnit(disk: DiskAttachment): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'MACHINE_UNIT_INVALID',
    message: `A disk cannot have unit number ${disk.unitNumber}: 0 to ${MAX_UNIT} without ${CONTROLLER_UNIT} are possible.`,
  });
}
