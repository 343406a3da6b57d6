import { Readable } from 'node:stream';
import { VicError } from '@vic/errors';
import { VimFault, isA, make } from '@vic/vim';
import type { Host } from '../model/host.ts';
import { fileFault } from '../model/faults.ts';
import type { ConfigSpec } from './config-spec.ts';
import type { Device, VmRecord } from './vm-record.ts';

const FORMAT = 'vic-vmx-1';
const MAX_FILE_BYTES = 8 * 1024 * 1024;
const WRITE_TIMEOUT_MS = 30_000;

/** What the configuration file beside a machine's disks holds: no secrets, no state, no identity of the inventory. */
interface ConfigFile {
  readonly format: typeof FORMAT;
  readonly spec: ConfigSpec;
}

/** Writes the file from which a machine can be registered again. */
export async function writeConfigFile(host: Host, record: VmRecord): Promise<void> {
  const spec: ConfigSpec = {
    name: record.name,
    uuid: record.uuid,
    instanceUuid: record.instanceUuid,
    guestId: record.guestId,
    alternateGuestName: record.alternateGuestName,
    annotation: record.annotation,
    numCPUs: record.cpus,
    numCoresPerSocket: record.coresPerSocket,
    memoryMB: record.memoryMiB,
    cpuAllocation: record.cpuAllocation,
    memoryAllocation: record.memoryAllocation,
    deviceChange: record.devices.filter((device) => device.key >= 1000).map((device) => ({ operation: 'add', device })),
    extraConfig: Object.entries(record.extraConfig).map(([key, value]) => ({ key, value })),
  };
  const file: ConfigFile = { format: FORMAT, spec };
  const text = `${JSON.stringify(file, null, 1)}\n`;
  await host.datastores.write(
    record.vmPathName,
    Readable.from([Buffer.from(text)]),
    AbortSignal.timeout(WRITE_TIMEOUT_MS),
  );
}

/** Reads the file of a machine that is to be registered; anyone may have written it, so it is only a specification. */
export async function readConfigFile(host: Host, path: string): Promise<ConfigSpec> {
  let text = '';
  try {
    for await (const chunk of await host.datastores.read(path, { start: 0, endExclusive: MAX_FILE_BYTES }))
      text += String(chunk);
  } catch (error) {
    throw fileFault(error, path);
  }
  try {
    return parse(JSON.parse(text));
  } catch (cause) {
    throw new VimFault({
      fault: make('InvalidVmConfig', {}),
      message: `${path} is not a machine configuration of this host.`,
      cause,
    });
  }
}

function parse(file: unknown): ConfigSpec {
  if (!isRecord(file) || file['format'] !== FORMAT || !isRecord(file['spec'])) throw invalid('format');
  const spec = file['spec'];
  const text = (name: string): string => {
    const value = spec[name] ?? '';
    if (typeof value !== 'string' || value.length > 10_000) throw invalid(name);
    return value;
  };
  const integer = (name: string): number => {
    const value = spec[name];
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw invalid(name);
    return value;
  };
  return {
    name: text('name'),
    uuid: text('uuid'),
    instanceUuid: text('instanceUuid'),
    guestId: text('guestId'),
    alternateGuestName: text('alternateGuestName'),
    annotation: text('annotation'),
    numCPUs: integer('numCPUs'),
    numCoresPerSocket: integer('numCoresPerSocket'),
    memoryMB: integer('memoryMB'),
    deviceChange: list(spec['deviceChange']).map((change) => ({ operation: 'add', device: parseDevice(change) })),
    extraConfig: list(spec['extraConfig']).map(parseOption),
  };
}

function parseDevice(change: unknown): Device {
  const device = isRecord(change) ? change['device'] : undefined;
  if (!isA(device, 'VirtualDevice') || typeof device.key !== 'number') throw invalid('device');
  const backing: unknown = device.backing;
  if (isRecord(backing)) {
    for (const value of Object.values(backing))
      if (typeof value === 'string' && value.length > 4096) throw invalid('backing');
    for (const name of ['fileName', 'deviceName', 'serviceURI', 'diskMode', 'direction']) {
      if (backing[name] !== undefined && typeof backing[name] !== 'string') throw invalid(name);
    }
  }
  return device as Device;
}

function parseOption(option: unknown): { key: string; value: string } {
  if (!isRecord(option) || typeof option['key'] !== 'string' || typeof option['value'] !== 'string')
    throw invalid('extraConfig');
  return { key: option['key'], value: option['value'] };
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length > 5000) throw invalid('list');
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(what: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'VMX_INVALID', message: `The field ${what} is not valid.` });
}
