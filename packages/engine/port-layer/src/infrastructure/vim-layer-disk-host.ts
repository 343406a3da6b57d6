import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Mutex, pollUntil, withDeadline } from '@vic/async';
import { VicError } from '@vic/errors';
import type { Logger } from '@vic/log';
import { NbdClient } from '@vic/nbd';
import { isA } from '@vic/vim';
import type { VirtualDevice, VirtualDeviceConfigSpec, VirtualMachineRef } from '@vic/vim';
import { properties, retryTransientFaults } from '@vic/vim-client';
import type { VimClient } from '@vic/vim-client';
import { ChangeSignal } from '../execution/change-signal.ts';
import type { AttachedDisk, LayerDiskHost } from '../storage/index.ts';
import { NbdDisk } from './nbd-disk.ts';
import { childDisk } from './machine-devices.ts';

/** What a {@link VimLayerDiskHost} works with. */
export interface VimLayerDiskHostDeps {
  readonly client: VimClient;
  /** The endpoint's own machine. */
  readonly machine: VirtualMachineRef;
  /** Where an attached disk appears as `<unit>.sock`. */
  readonly socketDirectory: string;
  /** Datastore folder of the VCH, such as `[datastore1] vch1`. */
  readonly folder: string;
  readonly logger: Logger;
}

/** Leaves units free for others, and bounds what is under way at once. */
const MAX_ATTACHED = 8;
/** The controller itself. */
const CONTROLLER_UNIT = 7;
const SOCKET_TIMEOUT_MS = 30_000;
const SOCKET_POLL_MS = 5;
const TEMPORARY_KEY = -1;

/**
 * Makes disks the vSphere way: the endpoint adds them to its own machine, writes them, and removes them again.
 */
export class VimLayerDiskHost implements LayerDiskHost {
  readonly #deps: VimLayerDiskHostDeps;
  readonly #controllerKey: number;
  readonly #units = new Set<number>();
  readonly #freed = new ChangeSignal();
  /** A machine is reconfigured once at a time. */
  readonly #reconfigure = new Mutex();

  private constructor(deps: VimLayerDiskHostDeps, controllerKey: number) {
    this.#deps = deps;
    this.#controllerKey = controllerKey;
  }

  /** Looks at the endpoint's machine and detaches disks that a crash left attached. */
  static async open(deps: VimLayerDiskHostDeps, signal: AbortSignal): Promise<VimLayerDiskHost> {
    const devices = await devicesOf(deps, signal);
    const controller = devices.find((device) => isA(device, 'VirtualSCSIController'));
    if (controller === undefined) throw noController();
    const host = new VimLayerDiskHost(deps, controller.key);
    const leftovers = devices.filter((device) => isA(device, 'VirtualDisk'));
    if (leftovers.length > 0) {
      deps.logger.info('Detaching disks that were left attached.', { count: leftovers.length });
      await host.#change(leftovers.map(removal), signal);
    }
    return host;
  }

  async createScratch(path: string, sizeBytes: number, signal: AbortSignal): Promise<AttachedDisk> {
    return this.#attach({ path: this.#at(path), sizeBytes }, signal);
  }

  async attachChild(path: string, parentPath: string, signal: AbortSignal): Promise<AttachedDisk> {
    return this.#attach({ path: this.#at(path), parent: this.#at(parentPath) }, signal);
  }

  async #attach(
    disk: { readonly path: string; readonly parent?: string; readonly sizeBytes?: number },
    signal: AbortSignal,
  ): Promise<AttachedDisk> {
    await using undo = new AsyncDisposableStack();
    const unit = await this.#freed.until(() => this.#takeUnit(), signal);
    undo.defer(() => this.#giveUnit(unit));
    await this.#change([childDisk(TEMPORARY_KEY, this.#controllerKey, disk, unit)], signal);
    undo.defer(async () => this.#detach(unit));
    const nbd = undo.use(await this.#open(unit, signal));
    return new NbdDisk(nbd, undo.move());
  }

  /** The socket may appear a moment after the task has ended. */
  async #open(unit: number, signal: AbortSignal): Promise<NbdClient> {
    const socket = join(this.#deps.socketDirectory, `${unit}.sock`);
    await withDeadline(
      `the disk ${socket}`,
      SOCKET_TIMEOUT_MS,
      async (deadline) =>
        pollUntil(
          async () =>
            access(socket).then(
              () => true as const,
              () => undefined,
            ),
          SOCKET_POLL_MS,
          deadline,
        ),
      signal,
    );
    return NbdClient.connect(socket, { signal });
  }

  /** Without a signal: what is attached must be detached whoever gave up. */
  async #detach(unit: number): Promise<void> {
    const devices = await devicesOf(this.#deps);
    const disk = devices.find((device) => isA(device, 'VirtualDisk') && device.unitNumber === unit);
    if (disk !== undefined) await this.#change([removal(disk)]);
  }

  async #change(deviceChange: readonly VirtualDeviceConfigSpec[], signal?: AbortSignal): Promise<void> {
    const { client, machine } = this.#deps;
    await this.#reconfigure.run(async () =>
      retryTransientFaults(
        async () => client.runTask(machine, 'ReconfigVM_Task', { spec: { deviceChange } }, { signal }),
        signal === undefined ? {} : { signal },
      ),
    );
  }

  #takeUnit(): number | undefined {
    for (let unit = 0; unit <= MAX_ATTACHED; unit++) {
      if (unit === CONTROLLER_UNIT || this.#units.has(unit)) continue;
      this.#units.add(unit);
      return unit;
    }
    return undefined;
  }

  #giveUnit(unit: number): void {
    this.#units.delete(unit);
    this.#freed.notify();
  }

  #at(path: string): string {
    return `${this.#deps.folder}/${path}`;
  }
}

async function devicesOf(deps: VimLayerDiskHostDeps, signal?: AbortSignal): Promise<readonly VirtualDevice[]> {
  const path = 'config.hardware.device';
  return (await properties(deps.client, deps.machine, [path], { signal }))[path] ?? [];
}

/** Takes the device out of the machine; its file stays. */
function removal(device: VirtualDevice): VirtualDeviceConfigSpec {
  return { operation: 'remove', device };
}

function noController(): VicError {
  return new VicError({
    class: 'Internal',
    code: 'ENDPOINT_WITHOUT_CONTROLLER',
    message: 'The endpoint VM has no SCSI controller, so no disk can be attached to it.',
    remedy: 'Create the virtual container host again with vic-machine.',
  });
}
