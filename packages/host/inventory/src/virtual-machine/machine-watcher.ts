import { delay } from '@vic/async';
import type { MachineEvent } from '../backends/index.ts';
import type { Host } from '../model/host.ts';
import { VirtualMachine } from '../objects/virtual-machine.ts';
import { mergeGuestReport } from './extra-config.ts';
import { markPoweredOff } from './power.ts';
import { askForRoom } from './questions.ts';
import { postCrash, postVmEvent } from './vm-events.ts';

const FIRST_RESTART_DELAY_MS = 500;
const MAX_RESTART_DELAY_MS = 60_000;
/** A program that ran this long was healthy: the next crash is the first again. */
const HEALTHY_AFTER_MS = 60_000;

/**
 * Follows what machines do by themselves: guest reports, freezes and exits; starts programs of process VMs
 * again when they crash.
 */
export class MachineWatcher {
  readonly #host: Host;
  readonly #crashes = new Map<string, { count: number; lastAtMs: number }>();
  #following: Promise<void> = Promise.resolve();

  constructor(host: Host) {
    this.#host = host;
  }

  /** Takes over the machines that were on, and follows all from then on. */
  async start(): Promise<void> {
    const events = this.#host.machines.events(this.#host.closing);
    this.#following = this.#follow(events);
    const on = this.#host.objects.all(VirtualMachine).filter((vm) => vm.record.powerState !== 'poweredOff');
    const alive = await this.#host.machines.adopt(
      on.map((vm) => vm.spec()),
      this.#host.closing,
    );
    for (const vm of on) if (!alive.has(vm.record.uuid)) await markPoweredOff(vm, '', false);
  }

  /** Resolves when the last event has been handled, after the host was told to close. */
  async stopped(): Promise<void> {
    await this.#following;
  }

  async #follow(events: AsyncIterable<MachineEvent>): Promise<void> {
    for await (const event of events) {
      const vm = this.#host.objects.all(VirtualMachine).find((candidate) => candidate.record.uuid === event.id);
      if (vm === undefined) continue;
      this.#handle(vm, event);
    }
  }

  #handle(vm: VirtualMachine, event: MachineEvent): void {
    switch (event.type) {
      case 'guestinfo': {
        const merged = mergeGuestReport(vm.record, event.key, event.value);
        if (merged !== vm.record) vm.applyGuestReport(merged);
        return;
      }
      case 'frozen':
        this.#afterOperation(vm, async () => vm.update({ ...vm.record, frozen: true }));
        return;
      case 'waiting':
        if (event.forRoom) askForRoom(vm);
        else vm.setQuestion(undefined);
        return;
      case 'exited':
        this.#afterOperation(vm, async () => this.#exited(vm, event));
        return;
    }
  }

  /**
   * Runs `work` once the operation under way on the machine is over: a guest may end before the power-on that
   * started it has finished. Nothing is done when the machine was started anew meanwhile.
   */
  #afterOperation(vm: VirtualMachine, work: () => Promise<void>): void {
    const boot = vm.record.bootedAtMs;
    const done = vm.mutex.run(async () => {
      const restarted = boot !== undefined && vm.record.bootedAtMs !== boot;
      if (vm.isGone || restarted || vm.record.powerState === 'poweredOff') return;
      await work();
    });
    this.#host.store.track(
      done.catch((error: unknown) =>
        this.#host.logger.error('Cannot handle machine event', { vm: vm.name, error: String(error) }),
      ),
    );
  }

  async #exited(vm: VirtualMachine, event: Extract<MachineEvent, { type: 'exited' }>): Promise<void> {
    if (event.exit === 'crashed') postCrash(vm, event.detail);
    if (event.exit === 'crashed' && vm.record.extraConfig['vic.program'] !== undefined) {
      this.#restartLater(vm);
      return;
    }
    if (event.exit === 'guest-shutdown') postVmEvent(vm, 'VmGuestShutdownEvent', '');
    await markPoweredOff(vm, '', event.exit !== 'crashed');
  }

  #restartLater(vm: VirtualMachine): void {
    const nowMs = this.#host.now().getTime();
    const before = this.#crashes.get(vm.record.uuid);
    const count = before === undefined || nowMs - before.lastAtMs > HEALTHY_AFTER_MS ? 0 : before.count + 1;
    this.#crashes.set(vm.record.uuid, { count, lastAtMs: nowMs });
    const pauseMs = Math.min(FIRST_RESTART_DELAY_MS * 2 ** count, MAX_RESTART_DELAY_MS);
    const boot = vm.record.bootedAtMs;
    void this.#restart(vm, pauseMs, boot).catch((error: unknown) => {
      if (this.#host.closing.aborted) return;
      this.#host.logger.error('Cannot start program again', { vm: vm.name, error: String(error) });
      this.#restartLater(vm);
    });
  }

  async #restart(vm: VirtualMachine, pauseMs: number, boot: number | undefined): Promise<void> {
    await delay(pauseMs, this.#host.closing);
    await vm.mutex.run(async () => {
      // Powered off, destroyed or started anew in the meantime: nothing is left to restart.
      if (vm.isGone || vm.record.powerState !== 'poweredOn' || vm.record.bootedAtMs !== boot) return;
      await this.#host.machines.powerOn(vm.spec(), this.#host.closing);
      this.#host.logger.info('Started program again', { vm: vm.name });
    });
  }
}
